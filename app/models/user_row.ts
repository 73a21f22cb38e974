import { isDeepStrictEqual } from 'node:util'
import { DateTime } from 'luxon'
import User from '#models/user'

/**
 * A row with columns of a user, under the names that Lucid gives them in a join: `users_email`.
 */
export type UserRow = Record<string, unknown>

const columns = [...User.$columnsDefinitions].map(([attribute, { columnName, consume, meta }]) => ({
  attribute,
  field: User.$getColumnAlias(columnName),
  expression: `${User.table}.${columnName}`,
  consume: consume && meta?.type === 'datetime' ? readDriverValue(consume) : consume,
  inChecks: meta?.inChecks !== false,
}))

/**
 * What a check reads of a user: for each field of a row, the expression that gives it.
 */
export const CHECKED_USER_COLUMNS: Record<string, string> = Object.fromEntries(
  columns.filter(({ inChecks }) => inChecks).map(({ field, expression }) => [field, expression])
)

/**
 * What reads rows of whole users, column by column.
 */
export const SELECT_USERS = `SELECT ${columns
  .map(({ field, expression }) => `${expression} AS ${field}`)
  .join(', ')} FROM ${User.table}`

/**
 * The model as Lucid makes it from a row of `users`, by way of each column's `consume`; what the
 * row leaves out stays undefined, and hooks (`@afterFind`) do not run. A row may come as JSON, so
 * that PostgreSQL's `numeric` and `bigint` are numbers in it and `bytea` is text.
 *
 * Lucid's own way (`$createFromAdapterResult`) sets one column after the other through the model's
 * proxy, which alone would take as long as the rest of a check. This one relies on how Lucid keeps a
 * model's state, which `checkUserHydration` compares.
 */
export function toUser(row: UserRow): User {
  const user = new User()
  const attributes = user.$attributes
  let structured = false
  for (const { attribute, field, consume } of columns) {
    const stored = row[field]
    if (stored === undefined) continue
    const value = consume ? consume(stored, attribute, user) : stored
    attributes[attribute] = value
    structured ||= typeof value === 'object' && value !== null && !DateTime.isDateTime(value)
  }
  /** Of a list or an object Lucid keeps a copy, to see what changes inside of it. */
  if (structured) user.$hydrateOriginals()
  else Object.assign(user.$original, attributes)
  user.$isPersisted = true
  user.$isLocal = false
  return user
}

/**
 * Throws when `toUser` makes another model than Lucid does from the same row: after an upgrade that
 * changes how Lucid keeps a model's state.
 */
export function checkUserHydration(): void {
  const row = sampleRow()
  const made = toUser(row) as unknown as Record<string, unknown>
  const expected = User.$createFromAdapterResult(row) as unknown as Record<string, unknown>
  const keys = new Set([...Object.keys(made), ...Object.keys(expected), '$dirty'])
  for (const key of keys) {
    if (typeof made[key] === 'function' && typeof expected[key] === 'function') continue
    if (isDeepStrictEqual(made[key], expected[key])) continue
    throw new Error(
      `@adonisjs/lucid keeps "${key}" of a model in another way than #models/user_row does.`
    )
  }
}

/**
 * A value for each column whose `consume` takes one; a column of the application's own may want
 * something that can't be guessed.
 */
function sampleRow(): UserRow {
  const row: UserRow = {}
  for (const { attribute, field, consume } of columns) {
    const { meta } = User.$getColumn(attribute)!
    const value = meta?.type === 'datetime' ? new Date(0) : '1'
    try {
      consume?.(value, attribute, new User())
      row[field] = value
    } catch {}
  }
  return row
}

/**
 * PostgreSQL spells a timestamp in JSON as ISO 8601. Lucid's own `@column.dateTime` reads the `Date`
 * that the driver makes of it elsewhere.
 */
function readDriverValue<Consume extends (stored: any, attribute: string, model: any) => unknown>(
  consume: Consume
) {
  return (stored: unknown, attribute: string, model: User) =>
    consume(
      typeof stored === 'string' && stored[10] === 'T' ? new Date(stored) : stored,
      attribute,
      model
    )
}
