import type { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Drops columns of a table that other tables refer to. knex rebuilds a table of SQLite for that, which
 * deletes the old one, and with it whatever refers to its rows; SQLite itself can drop a column.
 */
export function dropColumns(schema: BaseSchema['schema'], table: string, columns: string[]): void {
  for (const column of columns) schema.raw(`ALTER TABLE ${table} DROP COLUMN ${column}`)
}
