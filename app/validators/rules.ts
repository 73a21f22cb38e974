import vine from '@vinejs/vine'

/**
 * No NUL, which PostgreSQL can't hold, and no half of a surrogate pair, which is no character: it
 * has no UTF-8, and makes the check of an e-mail throw.
 */
const CHARACTERS = /^[^\0\p{Surrogate}]*$/u

const text = (maxLength: number) => vine.string().maxLength(maxLength).regex(CHARACTERS)

/**
 * An e-mail address, trimmed and in lower case.
 */
export const email = () =>
  vine.string().trim().toLowerCase().regex(CHARACTERS).email().maxLength(254)

/**
 * A password to be set: any characters, spaces included (NIST SP 800-63B §3.1.1.2).
 */
export const newPassword = () => text(256).minLength(8)

/**
 * A password to be compared.
 */
export const password = () => text(1024)

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
