import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { toDate, type StoredInstant } from '#models/instant'
import type { Actor } from '#app/event_log/actor'
import type { EventType } from '#app/event_log/append'
import type { EventPlace } from '#app/event_log/place'
import { GIVE_POSITIONS, POSITIONS_AT_ONCE, WITHOUT_POSITION } from '#app/event_log/positions'
import { rows, type Statement } from '#app/database/sql'
import { E_CURSOR_GONE } from '#exceptions/errors'

/**
 * An event as it stands in the log.
 */
export type LoggedEvent = {
  id: number
  type: EventType
  userId: number | null
  sessionId: string | null
  reason: string | null
  actor: Actor
  data: Record<string, unknown>
  occurredAt: Date
}

/**
 * An event with the place right behind it.
 */
export type PlacedEvent = LoggedEvent & { place: EventPlace }

export type EventRow = {
  id: number | string
  type: EventType
  user_id: number | null
  session_id: string | null
  reason: string | null
  actor: Actor
  data: string
  occurred_at: StoredInstant
}

/**
 * What to read. `after` is the place up to which the log was read; without it (or null) reading begins
 * with the oldest entry that is kept. The other conditions must all match.
 */
export type EventQuery = {
  after?: EventPlace | null
  limit: number
  types?: readonly EventType[]
  userId?: number
  actor?: string
  since?: Date
}

/**
 * Events, oldest first, and the place to go on from, also when nothing matched; null while the log has no
 * entry at all.
 */
export type EventPage = { events: PlacedEvent[]; place: EventPlace | null }

/**
 * Reads on in the log, in the order in which entries became visible. Whoever goes on from the place of the
 * last page skips nothing, reads nothing twice, and waits for no transaction under way. Everything that
 * committed before the call is read, page by page. A place may be kept anywhere and for any time: it
 * is for every node, and for programs that were restarted.
 *
 * Throws `E_CURSOR_GONE` when the entry at `after` is not there any more, or is another one: it was
 * pruned, or the database was restored. Then the reader starts anew, from `endOfLog` or from the
 * oldest entry, and trusts nothing that it has derived from what it had read.
 *
 * Not for use in a transaction, which would have all other readers wait for its end.
 */
export function readEvents(
  query: EventQuery,
  client: QueryClientContract = db.connection()
): Promise<EventPage> {
  if (client.isTransaction) throw new Error('The log is not read within a transaction.')
  const onPostgres = client.dialect.name === 'postgres'
  return readBy((sql, bindings) => rows(client, sql, bindings), onPostgres, query)
}

/**
 * The place behind all that has committed; null while the log has no entry at all.
 */
export async function endOfLog(
  client: QueryClientContract = db.connection()
): Promise<EventPlace | null> {
  const { place } = await readEvents({ limit: 0 }, client)
  return place
}

/**
 * Sends one statement with question marks and gives its rows.
 */
export type Ask = (sql: string, bindings: unknown[]) => Promise<unknown[]>

/**
 * The same as `readEvents`, for connections that are none of Lucid's. `expectsNew`: somebody said that
 * there are new entries, so they get positions before the first look.
 */
export async function readBy(
  ask: Ask,
  onPostgres: boolean,
  query: EventQuery,
  expectsNew = false
): Promise<EventPage> {
  const { sql, bindings } = pageStatement(query, onPostgres)
  if (expectsNew && onPostgres) await ask(GIVE_POSITIONS, [])
  for (let given = false; ;) {
    const found = (await ask(sql, bindings)) as PageRow[]
    const page = toPage(found, query)
    const waiting = Number(found[0].waiting)
    const isFull = query.limit > 0 && page.events.length === query.limit
    if (isFull || waiting === 0 || (given && waiting <= POSITIONS_AT_ONCE)) return page
    await ask(GIVE_POSITIONS, [])
    given = waiting <= POSITIONS_AT_ONCE
  }
}

type PageRow = EventRow & {
  log: string | null
  last_position: number | string | null
  last_mark: string | null
  passed_mark: string | null
  waiting: number | string
  position: number | string | null
  mark: string
}

/**
 * Where the log ends, whether the entry at `after` is still there, and what follows it: one statement, so
 * that all of it was true at one moment. There is a row also when nothing matches.
 */
function pageStatement(query: EventQuery, onPostgres: boolean): Statement {
  const after = query.after?.position ?? 0
  const conditions = ['position > ?']
  const bindings: unknown[] = [after, after]
  const only = (condition: string, ...values: unknown[]) => {
    conditions.push(condition)
    bindings.push(...values)
  }
  if (query.userId !== undefined) only('user_id = ?', query.userId)
  if (query.actor !== undefined) only('actor = ?', query.actor)
  if (query.since) only('occurred_at >= ?', query.since)
  if (query.types) only(`type IN (${query.types.map(() => '?').join(', ')})`, ...query.types)
  return {
    sql: `
      SELECT event_log.log, last.position AS last_position, last.mark AS last_mark,
        passed.mark AS passed_mark, ${onPostgres ? WITHOUT_POSITION : '0'} AS waiting, event.*
      FROM (SELECT 1 AS id) AS one
      LEFT JOIN event_log ON event_log.id = one.id
      LEFT JOIN (
        SELECT position, mark FROM session_events
        WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1
      ) AS last ON true
      LEFT JOIN (SELECT mark FROM session_events WHERE position = ?) AS passed ON true
      LEFT JOIN (
        SELECT * FROM session_events WHERE ${conditions.join(' AND ')} ORDER BY position LIMIT ?
      ) AS event ON true
      ORDER BY event.position`,
    bindings: [...bindings, query.limit],
  }
}

function toPage(found: PageRow[], { after, limit }: EventQuery): EventPage {
  const [first] = found
  const log = first.log ?? ''
  if (after && (after.log !== log || after.mark !== first.passed_mark)) throw new E_CURSOR_GONE()

  const placeOf = (position: number | string, mark: string) => ({
    log,
    position: Number(position),
    mark,
  })
  const events = found
    .filter((row) => row.position !== null)
    .map((row) => ({ ...toEvent(row), place: placeOf(row.position!, row.mark) }))
  const isFull = limit > 0 && events.length === limit
  if (isFull) return { events, place: events.at(-1)!.place }
  const { last_position: last, last_mark: mark } = first
  return { events, place: last === null ? null : placeOf(last, mark!) }
}

/**
 * An event from its row.
 */
export function toEvent(row: EventRow): LoggedEvent {
  return {
    id: Number(row.id),
    type: row.type,
    userId: row.user_id,
    sessionId: row.session_id,
    reason: row.reason,
    actor: row.actor,
    data: JSON.parse(row.data),
    occurredAt: toDate(row.occurred_at),
  }
}
