import db from '@adonisjs/lucid/services/db'
import { BatchLoader } from '#app/database/batch_loader'
import { explainWatermark } from '#app/token_verification/ended_tokens'
import clock from '#app/clock'
import type { SessionEnd } from '#exceptions/errors'
import { toDate, type StoredInstant } from '#models/instant'
import type { EndReason } from '#exceptions/end_reasons'
import { lastSeen } from '#app/sessions/last_seen'
import {
  SESSION_COLUMNS,
  toSession,
  type StoredSession,
  type SessionRow,
} from '#app/sessions/session'
import { takenOverBy } from '#app/sessions/session_end'
import { inList, rows } from '#app/database/sql'
import { lapseOf } from '#app/sessions/liveness'

type Row = SessionRow & {
  ended_at: StoredInstant | null
  end_reason: EndReason | null
  by_name: string | null
  by_platform: string | null
  by_user_agent: string | null
  user_disabled_at: StoredInstant | null
  user_cut_seq: number | string | null
  all_cut_seq: number | string | null
  cut_reason: EndReason | null
  cut_at: StoredInstant | null
}

/**
 * What a check needs of a session without a written end.
 */
type Unended = {
  session: StoredSession
  watermarkSeq: number
  userDisabledAt: Date | null
  /** The first cut-off that covers it, where it is known; else it is read when it is needed. */
  cutoff?: SessionEnd | null
}

const COLUMNS = SESSION_COLUMNS.map((column) => `s.${column}`).join(', ')

async function readSessions(ids: string[]): Promise<Map<string, Row>> {
  const lookup = db.connection('lookup')
  const byId = inList(lookup, 's.id', 'uuid', ids)
  const found = await rows<Row>(
    lookup,
    `SELECT ${COLUMNS}, s.ended_at, s.end_reason,
       n.device_name AS by_name, n.platform AS by_platform, n.user_agent AS by_user_agent,
       u.disabled_at AS user_disabled_at, u.cut_session_seq AS user_cut_seq,
       (SELECT max(session_seq) FROM cutoffs WHERE user_id IS NULL) AS all_cut_seq,
       c.reason AS cut_reason, c.created_at AS cut_at
     FROM sessions s
     LEFT JOIN sessions n ON n.id = s.superseded_by
     LEFT JOIN users u ON u.id = s.user_id
     LEFT JOIN cutoffs c ON c.id = (
       SELECT min(id) FROM cutoffs
       WHERE session_seq >= s.seq AND (user_id IS NULL OR user_id = s.user_id)
     )
     WHERE ${byId.sql}`,
    [byId.binding]
  )
  return new Map(found.map((row) => [row.id, row]))
}

const sessionLookup = new BatchLoader(readSessions)

/**
 * How a session has ended, as a check of one of its tokens says it at this moment; null while it
 * lives. For those who hold on to a session without a request: many such checks share one
 * statement, and none begins before it was asked for. Throws when the database can't be asked.
 */
export async function checkSession(id: string): Promise<SessionEnd | null> {
  const row = await sessionLookup.read(id)
  if (!row) return { reason: 'account_deleted', endedAt: clock.now() }
  if (row.end_reason !== null) {
    return { reason: row.end_reason, endedAt: toDate(row.ended_at!), by: takenOverBy(row) }
  }
  return endOfUnended({
    session: toSession(row),
    watermarkSeq: Math.max(Number(row.user_cut_seq ?? 0), Number(row.all_cut_seq ?? 0)),
    userDisabledAt: toDate(row.user_disabled_at),
    cutoff: row.cut_reason && { reason: row.cut_reason, endedAt: toDate(row.cut_at!) },
  })
}

/**
 * Why a session is dead of which no end is written: time has ended it, a cut-off covers it, or its
 * account is disabled. Null while it lives. Disabling writes the ends of all that live, so what it
 * left had ended before. A promise only where the cut-off must be read first.
 */
export function endOfUnended(unended: Unended): SessionEnd | null | Promise<SessionEnd> {
  const { session, watermarkSeq, userDisabledAt, cutoff } = unended
  session.lastSeenAt = lastSeen.latest(session.id, session.lastSeenAt)
  const lapse = lapseOf(session, watermarkSeq, clock.now())
  if (lapse?.at) return { reason: lapse.reason, endedAt: lapse.at }
  if (lapse) return cutoff ?? explainWatermark(session)
  return userDisabledAt && { reason: 'account_disabled', endedAt: userDisabledAt }
}
