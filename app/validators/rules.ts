import vine from '@vinejs/vine'
import type { FieldContext } from '@vinejs/vine/types'
import { NAME_LENGTH } from '#app/devices/device'
import { normalizeEmail } from '#models/email_address'
import { EXTERNAL_ID } from '#models/user'

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
 * What names a user: an id, an e-mail or `external:ID` (`findUser`).
 */
export const userReference = () => text(264).minLength(1)

/**
 * How another system names a user.
 */
export const externalId = () => vine.string().regex(EXTERNAL_ID)

/**
 * An id of a user, as a number or as text of digits.
 */
export const userId = () => vine.number().withoutDecimals().min(1).max(2_147_483_647)

/**
 * A user's own session limit: 0 is none.
 */
export const sessionLimit = () =>
  vine.number({ strict: true }).withoutDecimals().min(0).max(100_000)

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
export const name = (maxLength = NAME_LENGTH) => text(maxLength).trim()

/**
 * The name of a person.
 */
export const fullName = () => name(255)

/**
 * The device of a sign-in, as the client describes it: its labels are cut to size (`deviceOf`). An
 * id is not, for one that is cut may be another device's.
 */
export const device = () =>
  vine.object({
    id: text(512).trim().nullable().optional(),
    name: vine.string().nullable().optional(),
    platform: vine.string().nullable().optional(),
    shared: vine.boolean({ strict: true }).nullable().optional(),
  })
