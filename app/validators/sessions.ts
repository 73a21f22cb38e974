import vine from '@vinejs/vine'
import * as rules from '#validators/rules'

export const renameSessionValidator = vine.create({
  name: rules.name().minLength(1),
})

/**
 * A limit of the user's own: 0 is none, null that of the role or of the configuration.
 */
export const sessionLimitValidator = vine.create({
  limit: rules.sessionLimit().nullable(),
})
