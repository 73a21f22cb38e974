import vine from '@vinejs/vine'
import * as rules from '#validators/rules'

/**
 * An account as an operator makes it.
 */
export const newUserValidator = vine.create({
  email: rules.newEmail(),
  password: rules.newPassword(),
  fullName: rules.name().optional(),
})
