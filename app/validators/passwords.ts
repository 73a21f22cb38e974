import vine from '@vinejs/vine'
import * as rules from '#validators/rules'

export const changePasswordValidator = vine.create({
  currentPassword: rules.password().optional(),
  password: rules.newPassword(),
  keepOthers: vine.boolean({ strict: true }).optional(),
})

export const confirmValidator = vine.create({
  password: rules.password(),
})

export const forgotPasswordValidator = vine.create({
  email: rules.email(),
})

export const resetPasswordValidator = vine.create({
  token: rules.linkToken(),
  password: rules.newPassword(),
})

export const deleteAccountValidator = vine.create({
  currentPassword: rules.password().optional(),
})
