import vine from '@vinejs/vine'

/**
 * Which page of a list, from the query string.
 */
export const pageValidator = vine.create({
  page: vine.number().withoutDecimals().min(1).max(1_000_000).optional(),
  perPage: vine.number().withoutDecimals().min(1).max(100).optional(),
})

/**
 * Which of their sessions a user lists, from the query string: the live ones unless it says otherwise.
 */
export const sessionListValidator = vine.create({ ended: vine.boolean().optional() })
