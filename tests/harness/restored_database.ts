import db from '@adonisjs/lucid/services/db'
import { emptyDatabase } from './database.js'

/**
 * What stands in the database now. Returns what puts it back, as restoring a backup does: what was
 * written since is gone. No server may run meanwhile.
 */
export async function backUp(): Promise<() => Promise<void>> {
  const all = await db.connection().getAllTables(['public'])
  const names = all.filter((name) => !name.startsWith('adonis_schema'))
  const contents = new Map<string, Record<string, unknown>[]>()
  for (const name of names) contents.set(name, await db.from(name).select('*'))
  return async () => {
    await emptyDatabase()
    await db.transaction(async (trx) => {
      const isPostgres = trx.dialect.name === 'postgres'
      await trx.rawQuery(
        isPostgres
          ? 'SET LOCAL session_replication_role = replica'
          : 'PRAGMA defer_foreign_keys = ON'
      )
      for (const [name, rows] of contents) {
        for (const row of rows) await trx.table(name).insert(isPostgres ? asWritten(row) : row)
      }
    })
  }
}

/**
 * PostgreSQL's driver reads JSON and wants text.
 */
function asWritten(row: Record<string, unknown>) {
  const isJson = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    !(value instanceof Date) &&
    !Buffer.isBuffer(value)
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      isJson(value) ? JSON.stringify(value) : value,
    ])
  )
}
