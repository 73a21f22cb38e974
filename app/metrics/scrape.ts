import db from '@adonisjs/lucid/services/db'
import { rows } from '#app/database/sql'
import type { EventPlace } from '#app/event_log/place'
import { endOfLog } from '#app/event_log/read'
import { sessionEnds, liveSessions, registry } from '#app/metrics/metrics'

/**
 * How far the log has been counted.
 */
let counted: EventPlace | null | undefined

/**
 * Counts the ends that were written since the last call, on any node and by any command, from the
 * log. The first call marks where counting begins.
 */
async function countNewSessionEnds(): Promise<void> {
  const client = db.connection()
  const from = counted
  const until = await endOfLog(client)
  counted = until
  /** Of a restored log nothing is counted twice: counting begins at its end. */
  if (from === undefined || !until || (from && from.log !== until.log)) return

  const ends = await rows<{ reason: string; ends: number | string }>(
    client,
    `SELECT reason, count(*) AS ends FROM session_events
     WHERE position > ? AND position <= ? AND type = 'session.ended'
     GROUP BY reason`,
    [from?.position ?? 0, until.position]
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
