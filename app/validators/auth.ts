import vine from '@vinejs/vine'
import * as rules from '#validators/rules'

export const signupValidator = vine.create({
  email: rules.newEmail(),
  password: rules.newPassword(),
  fullName: rules.fullName().nullable().optional(),
  device: rules.device().nullable().optional(),
})

export const loginValidator = vine.create({
  email: rules.email(),
  password: rules.password(),
  device: rules.device().nullable().optional(),
  logoutOthers: vine.boolean({ strict: true }).optional(),
  endSessions: vine.array(vine.string().maxLength(64)).maxLength(1000).optional(),
})

/** Either a JWT or an opaque token of the old system. */
export const exchangeValidator = vine.create({
  jwt: vine.string().maxLength(8192).optional().requiredIfMissing('token'),
  token: vine.string().maxLength(1024).optional().requiredIfMissing('jwt'),
  device: rules.device().nullable().optional(),
})

export const logoutValidator = vine.create({
  refreshToken: vine.string().maxLength(1024).nullable().optional(),
})

export const refreshValidator = vine.create({
  refreshToken: vine.string().maxLength(1024),
})
