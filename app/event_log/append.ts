import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type { Actor } from '#app/event_log/actor'
import { insertOf, rows } from '#app/database/sql'
import { afterCommit } from '#app/database/transaction'

/**
 * What the log tells of.
 */
export type EventType =
  | 'session.opened'
  | 'session.ended'
  | 'session.changed'
  | 'tokens.replaced'
  | 'watermark'
  | 'api_key.created'
  | 'api_key.ended'
  | 'password.changed'
  | 'password.reset_requested'
  | 'email.verify_requested'
  | 'email.verified'
  | 'email.change_requested'
  | 'email.changed'
  | 'user.created'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.deleted'
  | 'user.limit_changed'
  | 'user.role_changed'
  | 'force_logout'
  | 'client.created'
  | 'client.revoked'
  | 'log.started'
  | 'database.restored'

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
 * Writes to the log what the transaction does, so that nothing is told that did not commit, and
 * nothing that committed goes untold. Followers on other nodes are told by PostgreSQL's NOTIFY,
 * which goes out with the commit or not at all.
 */
export async function appendEvents(
  trx: TransactionClientContract,
  events: NewEvent[]
): Promise<void> {
  if (events.length === 0) return
  const now = clock.now()
  const timed = events.map((event) => ({ ...event, occurredAt: event.occurredAt ?? now }))
  for (let start = 0; start < timed.length; start += ROWS_PER_INSERT) {
    const { sql, bindings } = insertOf(
      'session_events',
      timed.slice(start, start + ROWS_PER_INSERT).map((event) => ({
        type: event.type,
        user_id: event.userId,
        session_id: event.sessionId ?? null,
        reason: event.reason ?? null,
        actor: event.actor,
        data: JSON.stringify(event.data ?? {}),
        occurred_at: event.occurredAt,
      }))
    )
    const notify =
      trx.dialect.name === 'postgres' ? `RETURNING pg_notify('${LOG_CHANNEL}', '')` : ''
    await rows(trx, `${sql} ${notify}`, bindings)
  }
  tellAfterCommit(trx, timed)
}

/**
 * The channel on which PostgreSQL tells every node that the log has grown.
 */
export const LOG_CHANNEL = 'latchkey_log'

/**
 * Hears what a transaction of this process has written to the log, once it has committed.
 */
export type CommitListener = (events: readonly NewEvent[]) => void

const listeners = new Set<CommitListener>()
const written = new WeakMap<TransactionClientContract, NewEvent[]>()

/**
 * Has the listeners of this process told of the events as soon as the transaction commits. Other
 * nodes hear of them by `LOG_CHANNEL`.
 */
function tellAfterCommit(trx: TransactionClientContract, events: NewEvent[]): void {
  const earlier = written.get(trx)
  if (earlier) {
    earlier.push(...events)
    return
  }
  const all = [...events]
  written.set(trx, all)
  afterCommit(trx, () => {
    for (const listener of listeners) listener(all)
  })
}

/**
 * Calls `listener` after every commit of this process that has written to the log. Returns what
 * ends that. What must not be lost in a crash reads the log instead (#app/event_log/tail).
 */
export function onCommit(listener: CommitListener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
