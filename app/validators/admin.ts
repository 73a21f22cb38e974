import vine from '@vinejs/vine'
import * as rules from '#validators/rules'
import { moment } from '#validators/filters'

const page = {
  page: vine.number().withoutDecimals().min(1).max(1_000_000).optional(),
  perPage: vine.number().withoutDecimals().min(1).max(100).optional(),
}

/**
 * Which users, from the query string.
 */
export const userListValidator = vine.create({ ...page, search: rules.name(264).optional() })

/**
 * Which entries of the log, from the query string.
 */
export const eventListValidator = vine.create({
  ...page,
  user: rules.userReference().optional(),
  session: vine.string().trim().toLowerCase().uuid().optional(),
  type: rules.name(32).optional(),
  reason: rules.name(32).optional(),
  actor: rules.name(255).optional(),
  from: moment().optional(),
  until: moment().optional(),
})
