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

const dateOrTime = vine.createRule((value: unknown, _: undefined, field: FieldContext) => {
  if (parseMoment(String(value))) return
  field.report(
    'The {{ field }} field must be a date or time such as 2026-11-24 or 2026-11-24T03:00:00Z',
    'moment',
    field
  )
})

const past = vine.createRule((value: unknown, _: undefined, field: FieldContext) => {
  if (parsePast(String(value))) return
  field.report(
    'The {{ field }} field must be a duration such as 24h, or a date or time such as 2026-11-24T03:00:00Z',
    'past',
    field
  )
})

/**
 * In UTC, unless it says otherwise.
 */
function parseMoment(value: string): Date | undefined {
  const parsed = DateTime.fromISO(value, { zone: 'utc' })
  return parsed.isValid && parsed.year >= 1970 && parsed.year <= 9999
    ? parsed.toJSDate()
    : undefined
}

function parsePast(value: string): Date | undefined {
  const ago = parseDuration(value)
  return ago === undefined ? parseMoment(value) : new Date(clock.millis() - ago)
}

/**
 * A date or time in ISO 8601.
 */
export const moment = () =>
  vine
    .string()
    .trim()
    .use(dateOrTime())
    .transform((value) => parseMoment(value) ?? new Date(0))

/**
 * So long before now, or a date or time.
 */
export const since = () =>
  vine
    .string()
    .trim()
    .use(past())
    .transform((value) => parsePast(value) ?? new Date(0))

/**
 * The filters that choose sessions, the same for commands and routes: `idleFor` becomes
 * milliseconds, `before` a date.
 */
export const sessionFilters = {
  session: vine.string().trim().toLowerCase().uuid().optional(),
  device: word(512).optional(),
  platform: word(512).toLowerCase().optional(),
  idleFor: vine
    .string()
    .trim()
    .use(duration())
    .transform((value) => parseDuration(value) ?? 0)
    .optional(),
  before: moment().optional(),
}

/**
 * What an admin writes as the reason of an act.
 */
export const reason = () => rules.name(500).nullable().optional()
