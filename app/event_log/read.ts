import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { toDate, type StoredInstant } from '#models/instant'
import type { Actor } from '#app/event_log/actor'
import type { EventType } from '#app/event_log/append'
import { rows } from '#app/database/sql'

/**
 * A place in the log: everything up to it has been read.
 */
export type EventCursor = { xid: number; id: number }

/**
 * The place before the first event.
 */
export const LOG_START: EventCursor = { xid: 0, id: 0 }

/**
 * An event as it stands in the log. `cursor` is the place right behind it.
 */
export type LoggedEvent = {
  id: number
  cursor: EventCursor
  type: EventType
  userId: number | null
  sessionId: string | null
  reason: string | null
  actor: Actor
  data: Record<string, unknown>
  occurredAt: Date
}

export type EventRow = {
  id: number | string
  commit_xid: number | string
  type: EventType
  user_id: number | null
  session_id: string | null
  reason: string | null
  actor: Actor
  data: string
  occurred_at: StoredInstant
}

/**
 * What to read. `after` is the cursor of the last event that was read.
 */
export type EventQuery = {
  after?: EventCursor
  limit: number
  types?: readonly EventType[]
  userId?: number
  since?: Date
}

/**
 * Reads on in the log, oldest first. Whoever goes on from the cursor of the last event skips
 * nothing and reads nothing twice.
 *
 * Ids are drawn before their transaction commits, so on PostgreSQL an event can appear behind a
 * reader that went by ids. There events are read in the order (transaction, id), and only those of
 * transactions older than the oldest one still under way: no event can appear before them any
 * more. It follows that a long transaction anywhere on that PostgreSQL server delays readers.
 */
export async function readEvents(
  query: EventQuery,
  client: QueryClientContract = db.connection()
): Promise<LoggedEvent[]> {
  const after = query.after ?? LOG_START
  const conditions = ['(commit_xid, id) > (?, ?)']
  const bindings: unknown[] = [after.xid, after.id]
  const only = (condition: string, ...values: unknown[]) => {
    conditions.push(condition)
    bindings.push(...values)
  }

  if (client.dialect.name === 'postgres') {
    only('commit_xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint')
  }
  if (query.userId !== undefined) only('user_id = ?', query.userId)
  if (query.since) only('occurred_at >= ?', query.since)
  if (query.types) only(`type IN (${query.types.map(() => '?').join(', ')})`, ...query.types)

  const found = await rows<EventRow>(
    client,
    `SELECT * FROM session_events WHERE ${conditions.join(' AND ')}
     ORDER BY commit_xid, id LIMIT ?`,
    [...bindings, query.limit]
  )
  return found.map(toEvent)
}

/**
 * The place in the log from which `readEvents` reads what happens from now on. On PostgreSQL
 * transactions that are under way now count as the future.
 */
export async function endOfLog(
  client: QueryClientContract = db.connection()
): Promise<EventCursor> {
  if (client.dialect.name === 'postgres') {
    const [{ xid }] = await rows<{ xid: string }>(
      client,
      'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid'
    )
    return { xid: Number(xid), id: 0 }
  }
  const [{ id }] = await rows<{ id: number | null }>(
    client,
    'SELECT max(id) AS id FROM session_events'
  )
  return { xid: 0, id: id ?? 0 }
}

/**
 * An event from its row.
 */
export function toEvent(row: EventRow): LoggedEvent {
  const id = Number(row.id)
  return {
    id,
    cursor: { xid: Number(row.commit_xid), id },
    type: row.type,
    userId: row.user_id,
    sessionId: row.session_id,
    reason: row.reason,
    actor: row.actor,
    data: JSON.parse(row.data),
    occurredAt: toDate(row.occurred_at),
  }
}
