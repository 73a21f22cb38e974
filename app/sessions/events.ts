import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { beforeCommit } from '#app/database_connections/in_transaction'
import type { Actor } from '#sessions/actor'
import { LOG_CHANNEL, signalCommit } from '#sessions/commit_signal'
import { insertOf, rows } from '#sessions/sql'

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

const pending = new WeakMap<TransactionClientContract, NewEvent[]>()

/**
 * Notes what the transaction has done, which is written to the log right before it commits: nothing
 * is told that did not commit, and nothing that committed goes untold.
 */
export function appendEvents(trx: TransactionClientContract, events: NewEvent[]): void {
  const now = clock.now()
  const timed = events.map((event) => ({ ...event, occurredAt: event.occurredAt ?? now }))
  const noted = pending.get(trx)
  if (noted) noted.push(...timed)
  else if (timed.length > 0) {
    pending.set(trx, timed)
    beforeCommit(trx, () => writeEvents(trx, timed))
  }
}

/**
 * Writes to the log, and has its followers on every node told of it with the commit: in this
 * process by a call, on other nodes by PostgreSQL's NOTIFY, which goes out with the commit or not
 * at all, once however often it is asked for.
 */
async function writeEvents(trx: TransactionClientContract, events: NewEvent[]): Promise<void> {
  const onPostgres = trx.dialect.name === 'postgres'
  for (let start = 0; start < events.length; start += ROWS_PER_INSERT) {
    const insert = insertOf(
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
    const told = `WITH written AS (${insert.sql}) SELECT pg_notify('${LOG_CHANNEL}', '')`
    await rows(trx, onPostgres ? told : insert.sql, insert.bindings)
  }
  signalCommit(trx)
}
