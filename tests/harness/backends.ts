import db from '@adonisjs/lucid/services/db'
import { rows } from '#app/database/sql'

const NAME = 'server-under-test'

/**
 * The environment of a server whose connections to PostgreSQL can be told from those of this run.
 */
export function namedConnections(): Record<string, string> {
  if (process.env.DB_CONNECTION !== 'postgres') return {}
  const url = new URL(process.env.DATABASE_URL!)
  url.searchParams.set('application_name', NAME)
  return { DATABASE_URL: url.href }
}

/**
 * The processes of PostgreSQL that serve servers started with `namedConnections`.
 */
export async function backends(): Promise<number[]> {
  const found = await rows<{ pid: number }>(
    db.connection(),
    'SELECT pid FROM pg_stat_activity WHERE application_name = ?',
    [NAME]
  )
  return found.map(({ pid }) => pid)
}

/**
 * Cuts those connections. Gives how many.
 */
export async function cutBackends(): Promise<number> {
  const cut = await rows(
    db.connection(),
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ?',
    [NAME]
  )
  return cut.length
}

/**
 * Sends a signal to processes, of which some may have ended.
 */
export function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ESRCH') throw error
    }
  }
}
