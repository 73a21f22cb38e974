import { HIGHEST_LIMIT } from '#app/accounts/roles_and_limits'
import clock from '#app/clock'
import { refusalOf } from '#app/passwords/foreign_hash'
import { normalizeEmail, oldSpelling } from '#models/email_address'
import { EXTERNAL_ID } from '#models/user'
import vine from '@vinejs/vine'

/**
 * What a line may say of a user.
 */
export const COLUMNS = [
  'email',
  'externalId',
  'fullName',
  'passwordHash',
  'emailVerified',
  'disabled',
  'createdAt',
  'sessionLimit',
] as const

type Column = (typeof COLUMNS)[number]

/**
 * A user of a file. `email` is in its normal form, `spelling` as an older account may have kept it.
 */
export type ImportedAccount = {
  email: string | null
  spelling: string | null
  externalId: string | null
  fullName: string | null
  passwordHash: string | null
  emailVerified: boolean
  disabled: boolean
  createdAt: Date | null
  sessionLimit: number | null
}

/**
 * The user whom the fields of a line describe, or why they describe none: in words that name a field and
 * quote nothing, so that no address and no hash comes into a report.
 */
export function readAccountOf(fields: Record<string, unknown>): ImportedAccount | string {
  try {
    const unknown = Object.keys(fields).find((name) => !COLUMNS.includes(name as Column))
    if (unknown !== undefined) return `has a field that is none of ${COLUMNS.join(', ')}`
    const text = textOf(fields.email, 'email')
    const account = {
      email: text === null ? null : emailOf(text),
      spelling: text === null ? null : oldSpelling(text),
      externalId: externalIdOf(fields.externalId),
      fullName: fullNameOf(fields.fullName),
      passwordHash: passwordHashOf(fields.passwordHash),
      emailVerified: booleanOf(fields.emailVerified, 'emailVerified'),
      disabled: booleanOf(fields.disabled, 'disabled'),
      createdAt: instantOf(fields.createdAt),
      sessionLimit: sessionLimitOf(fields.sessionLimit),
    }
    if (account.email === null && account.externalId === null) {
      return 'has neither email nor externalId'
    }
    return account
  } catch (error) {
    if (error instanceof WrongField) return error.message
    throw error
  }
}

class WrongField extends Error {}

function refuse(field: Column, why: string): never {
  throw new WrongField(`${field} ${why}`)
}

/** NUL, which PostgreSQL can't hold, and halves of surrogate pairs, which have no UTF-8. */
const NO_TEXT = /[\0\p{Surrogate}]/u

function textOf(value: unknown, field: Column): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string' || NO_TEXT.test(value)) refuse(field, 'is not text')
  return value
}

function emailOf(text: string): string {
  const email = normalizeEmail(text)
  if (email !== null && email.length <= 254 && vine.helpers.isEmail(email)) return email
  return refuse('email', 'is not an e-mail address')
}

function externalIdOf(value: unknown): string | null {
  const text = Number.isSafeInteger(value) ? String(value) : textOf(value, 'externalId')
  if (text === null || EXTERNAL_ID.test(text)) return text
  return refuse('externalId', 'is not 1 to 255 printable ASCII characters')
}

function fullNameOf(value: unknown): string | null {
  const text = textOf(value, 'fullName')?.trim() ?? ''
  if (text.length > 255) refuse('fullName', 'is longer than 255 characters')
  return text === '' ? null : text
}

function passwordHashOf(value: unknown): string | null {
  const text = textOf(value, 'passwordHash')
  const refusal = text === null ? undefined : refusalOf(text)
  return refusal === undefined ? text : refuse('passwordHash', refusal)
}

function booleanOf(value: unknown, field: Column): boolean {
  if (value === undefined || value === null || value === '') return false
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  return refuse(field, 'is neither true nor false')
}

function instantOf(value: unknown): Date | null {
  const text = textOf(value, 'createdAt')
  if (text === null) return null
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const millis = isIso ? Date.parse(text) : Number.NaN
  if (Number.isNaN(millis)) {
    refuse('createdAt', 'is not an instant such as 2024-01-31 or 2024-01-31T12:00:00Z')
  }
  if (millis > clock.millis()) refuse('createdAt', 'is in the future')
  return new Date(millis)
}

function sessionLimitOf(value: unknown): number | null {
  if (value === undefined || value === null || value === '') return null
  const limit = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : value
  if (
    typeof limit === 'number' &&
    Number.isInteger(limit) &&
    limit >= 0 &&
    limit <= HIGHEST_LIMIT
  ) {
    return limit
  }
  return refuse('sessionLimit', `is not a whole number from 0 to ${HIGHEST_LIMIT}`)
}
