import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type { Actor } from '#sessions/actor'
import { announceCommit } from '#sessions/commit_signal'

/**
 * What the log tells of.
 */
export type EventType =
  | 'session.opened'
  | 'session.ended'
  | 'api_key.created'
  | 'api_key.ended'
  | 'password.changed'
  | 'password.reset_requested'
  | 'user.created'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.deleted'
  | 'user.limit_changed'
  | 'user.role_changed'
  | 'force_logout'
  | 'client.created'
  | 'client.revoked'

/**
 * One entry of the log. `data` is for people and programs that read it: device, note, counts;
 * never a secret.
 */
export type NewEvent = {
  type: EventType
  userId: number | null
  sessionId?: string | null
  reason?: string | null
  actor: Actor
  data?: Record<string, unknown>
  occurredAt?: Date
}

/**
 * Rows of one INSERT: SQLite's limit on bound values is the narrower one.
 */
const ROWS_PER_INSERT = 500

/**
 * Writes to the log in the transaction of what it tells, so that nothing is told that did not
 * commit and nothing that committed goes untold.
 */
export async function appendEvents(
  trx: TransactionClientContract,
  events: NewEvent[]
): Promise<void> {
  const now = clock.now()
  const rows = events.map((event) => ({
    type: event.type,
    user_id: event.userId,
    session_id: event.sessionId ?? null,
    reason: event.reason ?? null,
    actor: event.actor,
    data: JSON.stringify(event.data ?? {}),
    occurred_at: event.occurredAt ?? now,
  }))
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    await trx.table('session_events').multiInsert(rows.slice(start, start + ROWS_PER_INSERT))
  }
  if (rows.length > 0) await announceCommit(trx)
}
