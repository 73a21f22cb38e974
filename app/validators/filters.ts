import vine from '@vinejs/vine'
import type { FieldContext } from '@vinejs/vine/types'
import { DateTime } from 'luxon'
import clock from '#app/clock'
import { parseDuration } from '#start/env_rules'
import * as rules from '#validators/rules'

/**
 * Text without NUL and with at least one character.
 */
const word = (maxLength: number) => rules.name(maxLength).minLength(1)

const duration = vine.createRule((value: unknown, _: undefined, field: FieldContext) => {
  if (typeof value === 'string' && parseDuration(value) !== undefined) return
  field.report(
    'The {{ field }} field must be a duration such as 30m, 12h or 30d',
    'duration',
    field
  )
})

const moment = vine.createRule((value: unknown, _: undefined, field: FieldContext) => {
  const { isValid, year } = parseMoment(String(value))
  if (isValid && year >= 1970 && year <= 9999) return
  field.report(
    'The {{ field }} field must be a date or time such as 2026-11-24 or 2026-11-24T03:00:00Z',
    'moment',
    field
  )
})

/**
 * In UTC, unless it says otherwise.
 */
function parseMoment(value: string): DateTime {
  return DateTime.fromISO(value, { zone: 'utc' })
}

/**
 * The filters that choose sessions, the same for commands and routes: `idleFor` becomes
 * milliseconds, `before` a date (UTC unless it says otherwise).
 */
export const sessionFilters = {
  session: vine.string().trim().toLowerCase().uuid().optional(),
  device: word(200).optional(),
  platform: word(32).toLowerCase().optional(),
  idleFor: vine
    .string()
    .trim()
    .use(duration())
    .transform((value) => parseDuration(value) ?? 0)
    .optional(),
  before: vine
    .string()
    .trim()
    .use(moment())
    .transform((value) => parseMoment(value).toJSDate())
    .optional(),
}

/**
 * What an admin writes as the reason of an act.
 */
export const reason = () => rules.name(500).nullable().optional()

/**
 * So long before now, or a date or time.
 */
export const since = () =>
  vine
    .string()
    .trim()
    .use(past())
    .transform((value) => parsePast(value) ?? new Date(0))

const past = vine.createRule((value: unknown, _: undefined, field: FieldContext) => {
  if (parsePast(String(value))) return
  field.report(
    'The {{ field }} field must be a duration such as 24h, or a date or time such as 2026-11-24T03:00:00Z',
    'past',
    field
  )
})

function parsePast(value: string): Date | undefined {
  const ago = parseDuration(value)
  if (ago !== undefined) return new Date(clock.millis() - ago)
  const { isValid, year } = parseMoment(value)
  return isValid && year >= 1970 && year <= 9999 ? parseMoment(value).toJSDate() : undefined
}
