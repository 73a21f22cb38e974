import db from '@adonisjs/lucid/services/db'
import { rows } from '#app/database/sql'
import { endOfLog, type EventCursor } from '#app/event_log/read'
import { sessionEnds, liveSessions, registry } from '#app/metrics/metrics'

/**
 * How far the log has been counted.
 */
let counted: EventCursor | undefined

/**
 * Counts the ends that were written since the last call, on any node and by any command, from the
 * log. The first call marks where counting begins.
 */
export async function countNewSessionEnds(): Promise<void> {
  const client = db.connection()
  const from = counted
  const until = await endOfLog(client)
  counted = until
  if (!from) return

  const before = client.dialect.name === 'postgres' ? 'commit_xid < ?' : 'id <= ?'
  const ends = await rows<{ reason: string; ends: number | string }>(
    client,
    `SELECT reason, count(*) AS ends FROM session_events
     WHERE (commit_xid, id) > (?, ?) AND ${before} AND type = 'session.ended'
     GROUP BY reason`,
    [from.xid, from.id, client.dialect.name === 'postgres' ? until.xid : until.id]
  )
  for (const { reason, ends: number } of ends) sessionEnds.inc({ reason }, Number(number))
}

/**
 * The figures of this node and of the database behind it, in Prometheus's text format.
 */
export async function scrape(): Promise<{ contentType: string; body: string }> {
  await countNewSessionEnds()
  liveSessions.set(await countLiveSessions())
  return { contentType: registry.contentType, body: await registry.metrics() }
}

async function countLiveSessions(): Promise<number> {
  const { total } = await db
    .from('sessions')
    .whereNull('ended_at')
    .count('* as total')
    .firstOrFail()
  return Number(total)
}
