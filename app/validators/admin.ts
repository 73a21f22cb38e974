import vine from '@vinejs/vine'
import type { UserChanges } from '#app/accounts/manage_users'
import accountsConfig from '#config/accounts'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import { normalizeEmail } from '#models/email_address'
import { refuseUnknownFields } from '#validators/known_fields'
import * as rules from '#validators/rules'
import { moment, since } from '#validators/filters'

const page = {
  page: vine.number().withoutDecimals().min(1).max(1_000_000).optional(),
  perPage: vine.number().withoutDecimals().min(1).max(100).optional(),
}

/**
 * Which users, from the query string.
 */
export const userListValidator = vine.create({ ...page, search: rules.name(264).optional() })

const account = {
  externalId: rules.externalId().nullable().optional(),
  email: rules.email().nullable().optional(),
  emailVerified: vine.boolean({ strict: true }).optional(),
  fullName: rules.fullName().nullable().optional(),
  password: rules.newPassword().optional(),
  role: vine.enum(['user', 'admin'] as const).optional(),
  sessionLimit: rules.sessionLimit().nullable().optional(),
  disabled: vine.boolean({ strict: true }).optional(),
}

const accountValidator = vine.create(account)

/**
 * What an administrator says of an account. Throws `E_VALIDATION_ERROR`, also for fields that there are
 * none of, and for a password where none signs anybody in.
 */
export async function readUserChanges(body: Record<string, unknown>): Promise<UserChanges> {
  const { password, ...others } = account
  refuseUnknownFields(body, Object.keys(accountsConfig.passwordSignIn ? account : others))
  const { email, ...said } = await accountValidator.validate(body)
  return email === undefined ? said : { ...said, email: email && normalizeEmail(email) }
}

/**
 * The same of a new account, which has a name to be found by.
 */
export async function readNewUser(body: Record<string, unknown>) {
  const said = await readUserChanges(body)
  if ((said.externalId ?? said.email ?? null) === null) {
    const message = 'Say the externalId or the email of the account, or both'
    throw new E_VALIDATION_ERROR([{ field: 'email', rule: 'required', message }])
  }
  return said
}

const eventFilters = { type: rules.name(32).optional(), actor: rules.name(255).optional() }

/**
 * Which entries of the log, as commands say it.
 */
export const eventFiltersValidator = vine.create({ ...eventFilters, since: since().optional() })

/**
 * Which entries of the log, from the query string.
 */
export const eventListValidator = vine.create({
  ...page,
  user: rules.userReference().optional(),
  session: vine.string().trim().toLowerCase().uuid().optional(),
  ...eventFilters,
  reason: rules.name(32).optional(),
  from: moment().optional(),
  until: moment().optional(),
})
