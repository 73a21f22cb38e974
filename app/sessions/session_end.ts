import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import type { SessionEnd } from '#exceptions/errors'
import { toDate } from '#models/instant'

/**
 * The written end of a session, as its holder learns it.
 */
export async function endOfSession(
  client: QueryClientContract,
  sessionId: string
): Promise<SessionEnd> {
  const row = await client
    .from('sessions')
    .leftJoin('sessions as newcomer', 'newcomer.id', 'sessions.superseded_by')
    .where('sessions.id', sessionId)
    .select('sessions.end_reason', 'sessions.ended_at')
    .select('newcomer.device_name as by_name', 'newcomer.platform as by_platform')
    .firstOrFail()
  return {
    reason: row.end_reason,
    endedAt: toDate(row.ended_at),
    by: { name: row.by_name, platform: row.by_platform },
  }
}
