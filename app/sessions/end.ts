import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { pipeline, type Statement } from '#app/database/pipeline'
import clock from '#app/clock'
import type { Actor } from '#app/event_log/actor'
import { shownDevice } from '#app/devices/device'
import type { EndReason } from '#exceptions/end_reasons'
import { appendEvents } from '#app/event_log/append'
import type { Session } from '#app/sessions/session'
import { revokeTokens } from '#app/tokens/revoke'
import { inList } from '#app/database/sql'

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

type SessionToEnd = Pick<Session, 'id' | 'userId' | 'device'> & Partial<Pick<Session, 'userAgent'>>

/**
 * Ends sessions, together with the caller's transaction, which holds the rows of the sessions'
 * users (#app/sessions/user_lock) and found the sessions alive under that lock.
 */
export async function endSessions(
  trx: TransactionClientContract,
  sessions: SessionToEnd[],
  ending: Ending
): Promise<void> {
  await pipeline(trx, endingOf(trx, sessions, ending))
}

/**
 * What ends sessions, for a caller that sends it together with more. Everything that ends one comes
 * through here: tokens are deleted, what explains them to their holder is kept, the session is
 * marked. The log gets it at once (`appendEvents`), so the statements must be sent.
 */
export function endingOf(
  trx: TransactionClientContract,
  sessions: SessionToEnd[],
  ending: Ending
): Statement[] {
  if (sessions.length === 0) return []
  const at = ending.at ?? clock.now()
  appendEvents(
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

  const ids = sessions.map((session) => session.id)
  const byId = inList(trx, 'id', 'uuid', ids)
  return [
    ...revokeTokens(trx, { sessions: ids }, { reason: null, at }),
    {
      sql: `UPDATE sessions SET ended_at = ?, end_reason = ?, ended_by = ?, superseded_by = ?
        WHERE ended_at IS NULL AND ${byId.sql}`,
      bindings: [at, ending.reason, ending.actor, ending.supersededBy ?? null, byId.binding],
    },
  ]
}
