import { column } from '@adonisjs/lucid/orm'
import { DateTime } from 'luxon'
import '#app/clock'

/**
 * A point in time as both databases give it: `timestamptz` arrives as a `Date` from PostgreSQL, or
 * as text where it came as JSON; SQLite holds milliseconds of the Unix epoch.
 */
export type StoredInstant = Date | number | string

/**
 * The `Date` behind a stored point in time. Every instant is written as a `Date` and read through
 * this, so both databases keep the same milliseconds and compare in SQL.
 */
export function toDate(stored: StoredInstant): Date
export function toDate(stored: StoredInstant | null): Date | null
export function toDate(stored: StoredInstant | null): Date | null {
  return stored === null ? null : new Date(stored)
}

/**
 * A column that holds a point in time: `@column.dateTime` with all its options, stored as every
 * other instant is. Lucid's own writes text without milliseconds and can't read a number. In a
 * `where`, compare such a column with a `Date` (`at.toJSDate()`): no query prepares its bindings.
 */
export function dateTime(options: Parameters<typeof column.dateTime>[0] = {}) {
  return column.dateTime({ ...options, consume: toDateTime, prepare: toStored })
}

function toDateTime(stored: StoredInstant | null | undefined): DateTime | null {
  return stored === null || stored === undefined
    ? null
    : DateTime.fromMillis(new Date(stored).getTime())
}

/**
 * SQLite would store an invalid date as null, which in `disabled_at` means the opposite.
 */
function toStored(value: DateTime | null | undefined): Date | null {
  if (!value) return null
  if (!value.isValid) throw new Error(`A date to be stored is invalid: ${value.invalidReason}`)
  return value.toJSDate()
}
