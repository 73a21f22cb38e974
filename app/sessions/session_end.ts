import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import type { SessionEnd } from '#exceptions/errors'
import type { TakenOverBy } from '#exceptions/messages'
import { toDate } from '#models/instant'
import { watermarkOf } from '#app/sessions/watermark'
import { shownDevice } from '#app/devices/device'

/**
 * The end of a session, as its holder learns it: the written one, or the cut-off that covers it.
 */
export async function endOfSession(
  client: QueryClientContract,
  sessionId: string
): Promise<SessionEnd> {
  const row = await client
    .from('sessions')
    .leftJoin('sessions as newcomer', 'newcomer.id', 'sessions.superseded_by')
    .where('sessions.id', sessionId)
    .select('sessions.end_reason', 'sessions.ended_at', 'sessions.user_id', 'sessions.seq')
    .select('newcomer.device_name as by_name', 'newcomer.platform as by_platform')
    .select('newcomer.user_agent as by_user_agent')
    .firstOrFail()
  if (row.ended_at === null) {
    const cutoff = await watermarkOf(client, { userId: row.user_id, seq: Number(row.seq) })
    if (cutoff) return { reason: cutoff.reason, endedAt: cutoff.at }
  }
  return {
    reason: row.end_reason,
    endedAt: toDate(row.ended_at),
    by: takenOverBy(row),
  }
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
