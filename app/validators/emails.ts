import vine from '@vinejs/vine'
import * as rules from '#validators/rules'

export const verifyEmailValidator = vine.create({
  email: rules.email(),
})

export const confirmEmailValidator = vine.create({
  token: rules.linkToken(),
})

export const changeEmailValidator = vine.create({
  email: rules.newEmail(),
})
