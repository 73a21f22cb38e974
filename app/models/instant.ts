import { column } from '@adonisjs/lucid/orm'

/**
 * A point in time as both databases give it: `timestamptz` arrives as a `Date` from PostgreSQL,
 * SQLite holds milliseconds of the Unix epoch.
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
 * A column that holds a point in time as a `Date`.
 */
export function instant() {
  return column({
    consume: (stored: StoredInstant | null | undefined) => toDate(stored ?? null),
    prepare: (value: Date | null) => value,
  })
}
