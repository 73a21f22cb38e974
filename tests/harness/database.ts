import db from '@adonisjs/lucid/services/db'

let names: string[] | undefined

/**
 * Every table of the application.
 */
async function tables(): Promise<string[]> {
  if (!names) {
    const all = await db.connection().getAllTables(['public'])
    names = all.filter((name) => !name.startsWith('adonis_schema')).sort()
  }
  return names
}

/**
 * Empties every table, with real commits: tests that roll back can't show a race. What a test left
 * running behind its answers may hold rows in another order, so a deadlock is tried again.
 */
export async function emptyDatabase(attempts = 3): Promise<void> {
  try {
    await truncateAll()
  } catch (error) {
    if (attempts === 1 || (error as { code?: string }).code !== '40P01') throw error
    await emptyDatabase(attempts - 1)
  }
}

async function truncateAll(): Promise<void> {
  const all = await tables()
  await db.transaction(async (trx) => {
    if (trx.dialect.name === 'postgres') {
      await trx.rawQuery(`TRUNCATE ${all.map((name) => `"${name}"`).join(', ')} CASCADE`)
    } else {
      await trx.rawQuery('PRAGMA defer_foreign_keys = ON')
      for (const table of all) await trx.from(table).delete()
    }
  })
}

/**
 * How many rows of a table match.
 */
export async function countRows(table: string, where: Record<string, unknown> = {}) {
  const { total } = await db.from(table).where(where).count('* as total').firstOrFail()
  return Number(total)
}

/**
 * Everything that stands in the database, for tests that say nothing was written.
 */
export async function snapshot(): Promise<string> {
  const contents: Record<string, string[]> = {}
  for (const table of await tables()) {
    const rows: unknown[] = await db.from(table).select('*')
    contents[table] = rows.map((row) => JSON.stringify(row)).sort()
  }
  return JSON.stringify(contents)
}
