import db from '@adonisjs/lucid/services/db'

const TABLES = [
  'session_events',
  'ended_tokens',
  'api_tokens',
  'sessions',
  'cutoffs',
  'users',
] as const

/**
 * Empties every table, with real commits: tests that roll back can't show a race.
 */
export async function emptyDatabase(): Promise<void> {
  for (const table of TABLES) await db.from(table).delete()
}

/**
 * How many rows of a table match.
 */
export async function countRows(table: string, where: Record<string, unknown> = {}) {
  const { total } = await db.from(table).where(where).count('* as total').firstOrFail()
  return Number(total)
}
