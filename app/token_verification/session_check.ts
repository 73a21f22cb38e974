import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { BatchLoader } from '#app/database/batch_loader'
import { inList, rows } from '#app/database/sql'
import { writeDueEndsOf } from '#app/sessions/end'
import { disabledEndOf, livenessOf } from '#app/sessions/liveness'
import {
  SELECTED_SESSION_COLUMNS,
  toSession,
  type SessionRow,
  type StoredSession,
} from '#app/sessions/session'
import { takenOverBy } from '#app/sessions/session_end'
import { watermarkEndOf, FIRST_WATERMARK_SQL, readWatermarks } from '#app/sessions/watermark'
import type { EndReason } from '#exceptions/end_reasons'
import { E_UNAVAILABLE, type SessionEnd } from '#exceptions/errors'
import { toDate, type StoredInstant } from '#models/instant'

type Row = SessionRow & {
  end_reason: EndReason | null
  by_name: string | null
  by_platform: string | null
  by_user_agent: string | null
  user_disabled_at: StoredInstant | null
  watermark_id: number | null
}

async function readSessions(ids: string[]): Promise<Map<string, Row>> {
  const lookup = db.connection('lookup')
  const byId = inList(lookup, 'sessions.id', 'uuid', ids)
  const found = await rows<Row>(
    lookup,
    `SELECT ${SELECTED_SESSION_COLUMNS}, sessions.end_reason,
       newcomer.device_name AS by_name, newcomer.platform AS by_platform,
       newcomer.user_agent AS by_user_agent,
       users.disabled_at AS user_disabled_at, ${FIRST_WATERMARK_SQL} AS watermark_id
     FROM sessions
     LEFT JOIN sessions AS newcomer ON newcomer.id = sessions.superseded_by
     LEFT JOIN users ON users.id = sessions.user_id
     WHERE ${byId.sql}`,
    [byId.binding]
  )
  return new Map(found.map((row) => [row.id, row]))
}

const sessionLookup = new BatchLoader(readSessions)

/**
 * Retries: a concurrent use may revive a session between reading it as idle and ending it.
 */
const ATTEMPTS = 5

/**
 * How a session has ended, as a check of one of its tokens says it at this moment; null while it
 * lives. An end by time is written before it is told. Many such checks share one statement, and
 * none begins before it was asked for. Throws when the database can't be asked, or can't write.
 */
export async function checkSession(id: string): Promise<SessionEnd | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const row = await sessionLookup.read(id)
    if (!row) return { reason: 'account_deleted', endedAt: clock.now() }
    const session = toSession(row)
    switch (livenessOf(session, row.watermark_id === null ? 0 : session.seq, clock.now())) {
      case 'ended':
        return { reason: row.end_reason!, endedAt: session.endedAt!, by: takenOverBy(row) }
      case 'covered':
        return endOfCovered(session, row.watermark_id!)
      case 'alive':
        return disabledEndOf(toDate(row.user_disabled_at))
      case 'idle':
      case 'expired':
        await writeDueEndsOf(session.userId)
    }
  }
  throw new E_UNAVAILABLE()
}

async function endOfCovered(session: StoredSession, watermarkId: number): Promise<SessionEnd> {
  const [watermark] = await readWatermarks(db.connection('lookup'), [watermarkId])
  if (!watermark) throw new E_UNAVAILABLE()
  const { reason, at } = watermarkEndOf(session, watermark)
  return { reason, endedAt: at }
}
