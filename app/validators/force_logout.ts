import vine from '@vinejs/vine'
import { reason, sessionFilters, since } from '#validators/filters'

/**
 * The filters alone, as lists take them.
 */
export const filtersValidator = vine.create({ ...sessionFilters })

/**
 * What every force logout may say besides whose sessions end.
 */
const order = {
  ...sessionFilters,
  reason: reason(),
  includeApiKeys: vine.boolean({ strict: true }).optional(),
  dryRun: vine.boolean({ strict: true }).optional(),
}

/**
 * A force logout of users who are known already.
 */
export const forceLogoutOfUserValidator = vine.create({ ...order })

/**
 * A force logout of users by e-mail or id, or of everyone.
 */
export const forceLogoutValidator = vine.create({
  ...order,
  users: vine
    .array(
      vine.unionOfTypes([
        vine.string().trim().minLength(1).maxLength(254),
        vine.number({ strict: true }),
      ])
    )
    .minLength(1)
    .maxLength(100)
    .optional(),
  all: vine.boolean({ strict: true }).optional(),
})

/**
 * The reason alone.
 */
export const reasonValidator = vine.create({ reason: reason() })

/**
 * A moment in the past: so long ago, or a date or time.
 */
export const sinceValidator = vine.create({ since: since().optional() })
