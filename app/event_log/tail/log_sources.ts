import db from '@adonisjs/lucid/services/db'
import { connectPostgres, type PostgresClient } from '#app/database/postgres'
import { rows, statementName } from '#app/database/sql'
import { LOG_CHANNEL } from '#app/event_log/append'
import {
  endOfLog,
  readEvents,
  toEvent,
  type EventCursor,
  type EventRow,
  type LoggedEvent,
} from '#app/event_log/read'
import { direct } from '#config/database'

/**
 * Events that have committed since the last look. `tooMany`: there are more than one look takes;
 * none are given, and the place in the log is behind all of them.
 */
export type NewEvents = { events: LoggedEvent[]; tooMany: boolean }

/**
 * How many events one look takes.
 */
export const EVENTS_PER_LOOK = 2_000

/**
 * A place in the log of one database, which moves on with every look. Both databases tell in their
 * own way that the log has grown.
 */
export interface LogSource {
  /**
   * Takes its place at the end of the log. From now on `grown` is called when there may be
   * something new, and `failed` when the source is of no use any more.
   */
  open(grown: () => void, failed: (error: unknown) => void): Promise<void>

  /**
   * What has committed since the last look. Throws when the database can't be asked.
   */
  look(): Promise<NewEvents>

  close(): Promise<void>
}

/**
 * How often SQLite is asked whether somebody has written, in milliseconds.
 */
const ASK_EVERY = 100

/**
 * The log on SQLite. `PRAGMA data_version` changes with every commit of another connection, in any
 * process, and reads no page of the database. It is asked on the connection `lookup`, which never
 * writes, so the commits of this process count too.
 */
export class SqliteLog implements LogSource {
  #after?: EventCursor
  #version?: number
  #timer?: NodeJS.Timeout
  #closed = false

  async open(grown: () => void, failed: (error: unknown) => void): Promise<void> {
    this.#version = await this.#readVersion()
    this.#after = await endOfLog(this.#lookup)
    this.#askLater(grown, failed)
  }

  async look(): Promise<NewEvents> {
    const query = { after: this.#after, limit: EVENTS_PER_LOOK + 1 }
    const events = await readEvents(query, this.#lookup)
    if (events.length > EVENTS_PER_LOOK) {
      this.#after = await endOfLog(this.#lookup)
      return { events: [], tooMany: true }
    }
    this.#after = events.at(-1)?.cursor ?? this.#after
    return { events, tooMany: false }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#closed = true
  }

  #askLater(grown: () => void, failed: (error: unknown) => void) {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#readVersion().then((version) => {
        if (version !== this.#version) grown()
        this.#version = version
        this.#askLater(grown, failed)
      }, failed)
    }, ASK_EVERY).unref()
  }

  get #lookup() {
    return db.connection('lookup')
  }

  async #readVersion(): Promise<number> {
    const [{ data_version: version }] = await rows<{ data_version: number }>(
      this.#lookup,
      'PRAGMA data_version'
    )
    return version
  }
}

/**
 * Milliseconds after which a statement on this connection has failed.
 */
const TIMEOUT_MS = 4_000

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

type Looked = { snapshot: string; events: EventRow[] }

/** Named after its text: one name, one text, also where connections are shared. */
const LOOK_NAME = statementName('latchkey_log', LOOK)

/**
 * The log on PostgreSQL, on a connection of its own: `NOTIFY` says that it has grown, and what is
 * new is read beside it, so that no sign-in that holds the other connections stands in the way.
 *
 * Behind a pooler of transactions nobody can be notified. Then the log is read on as often as the
 * tail asks (#app/event_log/tail/tail), unless there is a direct way to PostgreSQL.
 */
export class PostgresLog implements LogSource {
  #client?: PostgresClient
  #snapshot = ''
  #closed = false

  async open(grown: () => void, failed: (error: unknown) => void): Promise<void> {
    const client = await connectPostgres({
      ...direct,
      applicationName: 'latchkey log',
      statementTimeout: TIMEOUT_MS,
    })
    this.#client = client
    if (this.#closed) return void client.end()
    client.on('error', failed)
    client.on('end', () => {
      if (!this.#closed) failed(new Error('The connection to the log ended.'))
    })
    client.on('notification', grown)
    if (direct.pooler !== 'transaction') await client.query(`LISTEN ${LOG_CHANNEL}`)
    const now = await client.query('SELECT pg_current_snapshot()::text AS snapshot')
    this.#snapshot = now.rows[0].snapshot
  }

  async look(): Promise<NewEvents> {
    const { rows: found }: { rows: Looked[] } = await this.#client!.query({
      name: LOOK_NAME,
      text: LOOK,
      values: [this.#snapshot],
    })
    const [{ snapshot, events }] = found
    this.#snapshot = snapshot
    const tooMany = events.length > EVENTS_PER_LOOK
    return { events: tooMany ? [] : events.map(toEvent), tooMany }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client?.end()
  }
}
