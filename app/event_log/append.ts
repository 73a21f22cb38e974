import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type { Statement } from '#app/database/pipeline'
import { lastly } from '#app/database/transaction'
import type { Actor } from '#app/event_log/actor'
import { LOG_CHANNEL, signalCommit } from '#app/event_log/commit_signal'
import { insertOf } from '#app/database/sql'

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

const noted = new WeakMap<TransactionClientContract, TimedEvent[]>()
type TimedEvent = NewEvent & { occurredAt: Date }

/**
 * Notes what the transaction has done. It is written to the log together with the commit, so that
 * nothing is told that did not commit, and nothing that committed goes untold.
 */
export function appendEvents(trx: TransactionClientContract, events: NewEvent[]): void {
  if (events.length === 0) return
  const now = clock.now()
  const timed = events.map((event) => ({ ...event, occurredAt: event.occurredAt ?? now }))
  const earlier = noted.get(trx)
  if (earlier) {
    earlier.push(...timed)
    return
  }
  noted.set(trx, timed)
  signalCommit(trx)
  lastly(trx, () => notedEvents(trx))
}

/**
 * What writes to the log all that is noted so far, and has followers on other nodes told of it: by
 * PostgreSQL's NOTIFY, which goes out with the commit or not at all, once however often it is asked
 * for.
 */
export function notedEvents(trx: TransactionClientContract): Statement[] {
  const events = noted.get(trx)?.splice(0) ?? []
  const statements: Statement[] = []
  for (let start = 0; start < events.length; start += ROWS_PER_INSERT) {
    const { sql, bindings } = insertOf(
      'session_events',
      events.slice(start, start + ROWS_PER_INSERT).map((event) => ({
        type: event.type,
        user_id: event.userId,
        session_id: event.sessionId ?? null,
        reason: event.reason ?? null,
        actor: event.actor,
        data: JSON.stringify(event.data ?? {}),
        occurred_at: event.occurredAt,
      }))
    )
    const told = trx.dialect.name === 'postgres' ? `RETURNING pg_notify('${LOG_CHANNEL}', '')` : ''
    statements.push({ sql: `${sql} ${told}`, bindings })
  }
  return statements
}
