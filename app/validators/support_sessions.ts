import vine from '@vinejs/vine'
import { SUPPORT_LIFETIME } from '#app/sessions/support'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import { parseDuration } from '#start/env_rules'
import { refuseUnknownFields } from '#validators/known_fields'
import * as rules from '#validators/rules'

const order = {
  reason: rules.name(500).minLength(1),
  duration: vine.string().optional(),
}
const orderValidator = vine.create(order)

/**
 * A support session as an administrator asks for it; `duration` in milliseconds.
 */
export async function readSupportOrder(body: Record<string, unknown>) {
  refuseUnknownFields(body, Object.keys(order))
  const { reason, duration = '1h' } = await orderValidator.validate(body)
  const milliseconds = parseDuration(duration) ?? 0
  const { min, max } = SUPPORT_LIFETIME
  if (milliseconds < min || milliseconds > max) {
    const message = 'The duration field must be a duration from 30s to 1h'
    throw new E_VALIDATION_ERROR([{ field: 'duration', rule: 'duration', message }])
  }
  return { reason, duration: milliseconds }
}
