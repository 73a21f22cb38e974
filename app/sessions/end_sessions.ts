import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type { Actor } from '#sessions/actor'
import { shownDevice } from '#sessions/device'
import type { EndReason } from '#sessions/end_reasons'
import { appendEvents } from '#sessions/events'
import type { Session } from '#sessions/session'
import { inList } from '#sessions/sql'

/**
 * How sessions end: why, by whom, and what to remember of it.
 */
export type Ending = {
  reason: EndReason
  actor: Actor
  /** When; the present unless time ended it earlier. */
  at?: Date
  /** The session that takes the place (`superseded`, `replaced`). */
  supersededBy?: string
  /** What the admin wrote as the reason. For the log, not for the device. */
  note?: string | null
}

/**
 * Ends sessions. Everything that ends one comes through here: tokens are deleted, what explains
 * them to their holder is kept, the session is marked, the log is written, together with the
 * caller's transaction, which holds the rows of the sessions' users (#sessions/user_lock) and
 * found the sessions alive under that lock.
 */
export async function endSessions(
  trx: TransactionClientContract,
  sessions: (Pick<Session, 'id' | 'userId' | 'device'> & Partial<Pick<Session, 'userAgent'>>)[],
  ending: Ending
): Promise<void> {
  if (sessions.length === 0) return
  const at = ending.at ?? clock.now()
  const ids = sessions.map((session) => session.id)
  const bySession = inList(trx, 'session_id', 'uuid')

  await trx.rawQuery(
    `INSERT INTO ended_tokens (hash, type, session_id, user_id, ended_at)
     SELECT hash, type, session_id, tokenable_id, ? FROM api_tokens WHERE ${bySession.sql}`,
    [at, bySession.bind(ids)]
  )
  await trx.rawQuery(`DELETE FROM api_tokens WHERE ${bySession.sql}`, [bySession.bind(ids)])

  const byId = inList(trx, 'id', 'uuid')
  await trx.rawQuery(
    `UPDATE sessions SET ended_at = ?, end_reason = ?, ended_by = ?, superseded_by = ?
     WHERE ended_at IS NULL AND ${byId.sql}`,
    [at, ending.reason, ending.actor, ending.supersededBy ?? null, byId.bind(ids)]
  )

  await appendEvents(
    trx,
    sessions.map((session) => ({
      type: 'session.ended',
      userId: session.userId,
      sessionId: session.id,
      reason: ending.reason,
      actor: ending.actor,
      occurredAt: at,
      data: {
        device: shownDevice(session),
        ...(ending.supersededBy && { by: ending.supersededBy }),
        ...(ending.note && { note: ending.note }),
      },
    }))
  )
}
