import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { inList, rows } from '#app/database/sql'
import { shownDevice } from '#app/devices/device'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import type { Session } from '#app/sessions/session'
import { revokeTokens } from '#app/tokens/revoke'
import type { EndReason } from '#exceptions/end_reasons'

/*
 * What happens when a session ends, all of it in the caller's transaction:
 *
 * 1. its row says when, why and by whom (`sessions.ended_at`, `end_reason`, `ended_by`,
 *    `superseded_by`). The first end that is written is the one that is told for ever;
 * 2. its access and refresh tokens leave `api_tokens`, and `ended_tokens` keeps what explains a 401
 *    to their holders (#app/tokens/revoke);
 * 3. the log gets `session.ended` (#app/event_log/append).
 *
 * After the commit everybody else hears of it from the log: open event streams (#app/streams), the
 * revocation feed (#app/event_log/revocations), mails (#mails/on_events) and the metrics. The next
 * check of a token reads the database and finds none (#app/token_verification/verify_token).
 */

/**
 * How sessions end: why, by whom, and what to remember of it.
 */
export type Ending = {
  reason: EndReason
  actor: Actor
  /** When; the present unless time or a watermark ended it earlier. */
  at?: Date
  /** The session that takes the place (`superseded`, `replaced`). */
  supersededBy?: string
  /** What the admin wrote as the reason. For the log, not for the device. */
  note?: string | null
  /**
   * Ends only sessions that were last seen at this moment: one that was used since it was read is
   * left alone.
   */
  ifLastSeenAt?: Date
}

export type SessionToEnd = Pick<Session, 'id' | 'userId' | 'device'> &
  Partial<Pick<Session, 'userAgent'>>

/**
 * Ends sessions. Everything that ends one comes through here. The caller's transaction holds the
 * rows of their users (#app/sessions/user_lock), and has written the ends by time and by watermark
 * first (`closeEnded`).
 *
 * Returns those that it ended: one whose end is written already stays as it is.
 */
export async function endSessions<Given extends SessionToEnd>(
  trx: TransactionClientContract,
  sessions: Given[],
  ending: Ending
): Promise<Given[]> {
  if (sessions.length === 0) return []
  const at = ending.at ?? clock.now()
  const ended = await markEnded(trx, sessions, { ...ending, at })
  if (ended.length === 0) return []

  await revokeTokens(trx, { sessions: ended.map(({ id }) => id) }, { reason: null, at })
  await appendEvents(
    trx,
    ended.map((session) => ({
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
  return ended
}

/**
 * Writes the end into the rows that have none. A stored instant can be finer than a millisecond, so
 * "last seen at" means within that millisecond.
 */
async function markEnded<Given extends SessionToEnd>(
  trx: TransactionClientContract,
  sessions: Given[],
  { reason, actor, at, supersededBy, ifLastSeenAt }: Ending
): Promise<Given[]> {
  const ids = sessions.map(({ id }) => id)
  const byId = inList(trx, 'id', 'uuid', ids)
  const unchanged = ifLastSeenAt ? 'AND last_seen_at >= ? AND last_seen_at < ?' : ''
  const bounds = ifLastSeenAt ? [ifLastSeenAt, new Date(ifLastSeenAt.getTime() + 1)] : []
  const marked = await rows<{ id: string }>(
    trx,
    `UPDATE sessions SET ended_at = ?, end_reason = ?, ended_by = ?, superseded_by = ?
     WHERE ended_at IS NULL AND ${byId.sql} ${unchanged}
     RETURNING id`,
    [at, reason, actor, supersededBy ?? null, byId.binding, ...bounds]
  )
  if (marked.length === sessions.length) return sessions
  const found = new Set(marked.map(({ id }) => id))
  return sessions.filter(({ id }) => found.has(id))
}
