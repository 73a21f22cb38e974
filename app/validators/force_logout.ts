import vine from '@vinejs/vine'
import { refuseUnknownFields } from '#validators/known_fields'
import { reason, sessionFilters } from '#validators/filters'
import * as rules from '#validators/rules'

/**
 * The filters alone, as lists take them.
 */
export const filtersValidator = vine.create({ ...sessionFilters })

/**
 * The reason alone.
 */
export const reasonValidator = vine.create({ reason: reason() })

/**
 * What every force logout may say besides whose sessions end.
 */
const order = {
  ...sessionFilters,
  reason: reason(),
  includeApiKeys: vine.boolean({ strict: true }).optional(),
  dryRun: vine.boolean({ strict: true }).optional(),
}

const orderValidator = vine.create({ ...order })

/**
 * A force logout of users by reference, or of everyone.
 */
const selectionValidator = vine.create({
  ...order,
  users: vine
    .array(vine.unionOfTypes([rules.userReference(), vine.number({ strict: true })]))
    .minLength(1)
    .maxLength(100)
    .optional(),
  all: vine.boolean({ strict: true }).optional(),
})

/**
 * A force logout as a request says it, where its route says whose sessions end. Throws
 * `E_VALIDATION_ERROR`, also for fields that it does not know and for any in the query string.
 */
export async function readOrder(body: Record<string, unknown>, query: Record<string, unknown>) {
  refuseUnknownFields(query, [])
  refuseUnknownFields(body, Object.keys(order))
  return orderValidator.validate(body)
}

/**
 * The same where the body says whose.
 */
export async function readSelection(body: Record<string, unknown>, query: Record<string, unknown>) {
  refuseUnknownFields(query, [])
  refuseUnknownFields(body, [...Object.keys(order), 'users', 'all'])
  return selectionValidator.validate(body)
}

/**
 * The same for the one session that its route names.
 */
export async function readOrderForSession(
  body: Record<string, unknown>,
  query: Record<string, unknown>
) {
  refuseUnknownFields(query, [])
  refuseUnknownFields(body, ['reason', 'dryRun'])
  return orderValidator.validate(body)
}

/**
 * A reason and nothing else.
 */
export async function readReason(body: Record<string, unknown>, query: Record<string, unknown>) {
  refuseUnknownFields(query, [])
  refuseUnknownFields(body, ['reason'])
  return reasonValidator.validate(body)
}
