import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { shownDevice } from '#app/devices/device'
import { watermarkEndOf, watermarkOf } from '#app/sessions/watermark'
import type { SessionEnd } from '#exceptions/errors'
import type { TakenOverBy } from '#exceptions/messages'
import { toDate } from '#models/instant'

/**
 * The end of a session, as its holder learns it: the written one, or that of the watermark which
 * covers it. Call it for a session that has ended, once an end by time is written.
 */
export async function endOfSession(
  client: QueryClientContract,
  sessionId: string
): Promise<SessionEnd> {
  const end = await findEnd(client, sessionId)
  if (!end) throw new Error('This session has not ended.')
  return end
}

/**
 * The same; null for a session that neither a written end nor a watermark has ended.
 */
export async function findEnd(
  client: QueryClientContract,
  sessionId: string
): Promise<SessionEnd | null> {
  const row = await client
    .from('sessions')
    .leftJoin('sessions as newcomer', 'newcomer.id', 'sessions.superseded_by')
    .where('sessions.id', sessionId)
    .select('sessions.end_reason', 'sessions.ended_at', 'sessions.user_id', 'sessions.seq')
    .select('sessions.kind', 'sessions.last_seen_at', 'sessions.expires_at')
    .select('newcomer.device_name as by_name', 'newcomer.platform as by_platform')
    .select('newcomer.user_agent as by_user_agent')
    .firstOrFail()
  if (row.ended_at !== null) {
    return { reason: row.end_reason, endedAt: toDate(row.ended_at), by: takenOverBy(row) }
  }

  const watermark = await watermarkOf(client, { userId: row.user_id, seq: Number(row.seq) })
  if (!watermark) return null
  const stored = {
    kind: row.kind,
    lastSeenAt: toDate(row.last_seen_at),
    expiresAt: toDate(row.expires_at),
  }
  const { reason, at } = watermarkEndOf(stored, watermark)
  return { reason, endedAt: at }
}

/**
 * The device that took over, as the one that was signed out learns it: name and platform, and
 * nothing else of it.
 */
export function takenOverBy(newcomer: {
  by_name: string | null
  by_platform: string | null
  by_user_agent: string | null
}): TakenOverBy {
  const device = { id: null, name: newcomer.by_name, platform: newcomer.by_platform }
  const { name, platform } = shownDevice({ device, userAgent: newcomer.by_user_agent })
  return { name, platform }
}
