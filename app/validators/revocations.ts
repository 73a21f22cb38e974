import vine from '@vinejs/vine'

/**
 * Where to go on in the feed, how many at once, and how many seconds to wait for the first.
 */
export const revocationsValidator = vine.create({
  after: vine.string().maxLength(100).optional(),
  limit: vine.number().withoutDecimals().min(1).max(1_000).optional(),
  wait: vine.number().min(0).max(30).optional(),
})
