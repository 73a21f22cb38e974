import vine from '@vinejs/vine'
import type { FieldContext } from '@vinejs/vine/types'
import { normalizeEmail } from '#models/email_address'

/**
 * No NUL, which PostgreSQL can't hold, and no half of a surrogate pair, which is no character: it
 * has no UTF-8, and makes the check of an e-mail throw.
 */
const CHARACTERS = /^[^\0\p{Surrogate}]*$/u

const text = (maxLength: number) => vine.string().maxLength(maxLength).regex(CHARACTERS)

const address = vine.createRule((value: unknown, _: undefined, field: FieldContext) => {
  const normal = typeof value === 'string' ? normalizeEmail(value) : null
  if (normal !== null && vine.helpers.isEmail(normal) && normal.length <= 254) return
  field.report('The {{ field }} field must be a valid email address', 'email', field)
})

/**
 * The e-mail address of a new account, in its normal form.
 */
export const newEmail = () => email().transform((value) => normalizeEmail(value)!)

/**
 * The e-mail address of an account that may be here, as the person spells it: accounts that are older
 * than the normal form are found by their own spelling.
 */
export const email = () => vine.string().trim().maxLength(254).use(address())

/**
 * A password to be set: any characters, spaces included (NIST SP 800-63B §3.1.1.2).
 */
export const newPassword = () => text(256).minLength(8)

/**
 * A password to be compared.
 */
export const password = () => text(1024)

/**
 * The token of a link in a mail.
 */
export const linkToken = () => vine.string().maxLength(200)

/**
 * A person's or a device's name: trimmed; empty is none.
 */
export const name = (maxLength = 100) => text(maxLength).trim()

/**
 * The device of a sign-in, as the client describes it.
 */
export const device = () =>
  vine.object({
    id: text(200).trim().nullable().optional(),
    name: name().nullable().optional(),
    platform: vine
      .string()
      .trim()
      .toLowerCase()
      .maxLength(32)
      .regex(/^([a-z0-9][a-z0-9._-]*)?$/)
      .nullable()
      .optional(),
  })
