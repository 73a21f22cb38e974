import pg from 'pg'
import { EVENTS_PER_LOOK, type LogSource, type NewEvents } from '#app/event_log/tail/log_source'
import { LOG_CHANNEL } from '#app/event_log/append'
import { toEvent, type EventRow } from '#app/event_log/read'
import env from '#start/env'

/**
 * Milliseconds after which a statement on this connection has failed.
 */
const PATIENCE = 5_000

/**
 * What stands in the log now and was not visible in the snapshot of the last look. Unlike readers
 * that keep a cursor, this one waits for no older transaction: what has committed is told at once,
 * and one that commits later is told then.
 */
const LOOK = `
  WITH fresh AS (
    SELECT * FROM session_events
    WHERE commit_xid >= pg_snapshot_xmin($1::pg_snapshot)::text::bigint
      AND NOT pg_visible_in_snapshot(commit_xid::text::xid8, $1::pg_snapshot)
    ORDER BY commit_xid, id LIMIT ${EVENTS_PER_LOOK + 1}
  )
  SELECT pg_current_snapshot()::text AS snapshot,
    (SELECT coalesce(json_agg(fresh), '[]') FROM fresh) AS events`

/**
 * The log on PostgreSQL, on a connection of its own: `NOTIFY` says that it has grown, and what is
 * new is read beside it, so that no sign-in that holds the other connections stands in the way.
 */
export class PostgresLog implements LogSource {
  readonly #client = new pg.Client({
    connectionString: env.get('DATABASE_URL'),
    application_name: 'latchkey log',
    connectionTimeoutMillis: PATIENCE,
    query_timeout: PATIENCE,
    keepAlive: true,
  })
  #snapshot = ''
  #closed = false

  async open(grown: () => void, failed: (error: unknown) => void): Promise<void> {
    this.#client.on('error', failed)
    this.#client.on('end', () => {
      if (!this.#closed) failed(new Error('The connection to the log ended.'))
    })
    this.#client.on('notification', grown)
    await this.#client.connect()
    await this.#client.query(`LISTEN ${LOG_CHANNEL}`)
    const { rows } = await this.#client.query('SELECT pg_current_snapshot()::text AS snapshot')
    this.#snapshot = rows[0].snapshot
  }

  async look(): Promise<NewEvents> {
    const { rows } = await this.#client.query<{ snapshot: string; events: EventRow[] }>({
      name: 'latchkey_log',
      text: LOOK,
      values: [this.#snapshot],
    })
    const [{ snapshot, events }] = rows
    this.#snapshot = snapshot
    const tooMany = events.length > EVENTS_PER_LOOK
    return { events: tooMany ? [] : events.map(toEvent), tooMany }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client.end()
  }
}
