import db from '@adonisjs/lucid/services/db'
import pg from 'pg'
import { rows } from '#app/database/sql'
import { LOG_CHANNEL } from '#app/event_log/append'
import type { EventPlace } from '#app/event_log/place'
import {
  readBy,
  readEvents,
  type EventPage,
  type EventQuery,
  type LoggedEvent,
} from '#app/event_log/read'
import { E_CURSOR_GONE } from '#exceptions/errors'
import env from '#start/env'

/**
 * Events that have committed since the last look. `missed`: there are more than one look takes, or
 * the log was replaced, as by a restore under a running server; none are given, and the place in the log is
 * behind all of them.
 */
export type NewEvents = { events: LoggedEvent[]; missed: boolean }

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

type Read = (query: EventQuery) => Promise<EventPage>

/**
 * Where a source stands in the log.
 */
class LogPlace {
  readonly #read: Read
  #place: EventPlace | null = null

  constructor(read: Read) {
    this.#read = read
  }

  async toEnd(): Promise<void> {
    const { place } = await this.#read({ limit: 0 })
    this.#place = place
  }

  async look(): Promise<NewEvents> {
    try {
      const page = await this.#read({ after: this.#place, limit: EVENTS_PER_LOOK + 1 })
      if (page.events.length <= EVENTS_PER_LOOK) {
        this.#place = page.place
        return { events: page.events, missed: false }
      }
    } catch (error) {
      if (!(error instanceof E_CURSOR_GONE)) throw error
    }
    await this.toEnd()
    return { events: [], missed: true }
  }
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
  readonly #place = new LogPlace((query) => readEvents(query, this.#lookup))
  #version?: number
  #timer?: NodeJS.Timeout
  #closed = false

  async open(grown: () => void, failed: (error: unknown) => void): Promise<void> {
    this.#version = await this.#readVersion()
    await this.#place.toEnd()
    this.#askLater(grown, failed)
  }

  look(): Promise<NewEvents> {
    return this.#place.look()
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
 * Milliseconds after which connecting, or a statement on this connection, has failed.
 */
const TIMEOUT_MS = 5_000

/**
 * The log on PostgreSQL, on a connection of its own: `NOTIFY` says that it has grown, and what is
 * new is read beside it, so that no sign-in that holds the other connections stands in the way.
 */
export class PostgresLog implements LogSource {
  readonly #client = new pg.Client({
    connectionString: env.get('DATABASE_URL'),
    application_name: 'latchkey log',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    keepAlive: true,
  })
  readonly #place = new LogPlace((query) =>
    readBy((sql, bindings) => this.#ask(sql, bindings), true, query)
  )
  #closed = false

  async open(grown: () => void, failed: (error: unknown) => void): Promise<void> {
    this.#client.on('error', failed)
    this.#client.on('end', () => {
      if (!this.#closed) failed(new Error('The connection to the log ended.'))
    })
    this.#client.on('notification', grown)
    await this.#client.connect()
    await this.#client.query(`LISTEN ${LOG_CHANNEL}`)
    await this.#place.toEnd()
  }

  look(): Promise<NewEvents> {
    return this.#place.look()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client.end()
  }

  async #ask(sql: string, bindings: unknown[]): Promise<unknown[]> {
    let count = 0
    const found = await this.#client.query(
      sql.replaceAll('?', () => `$${++count}`),
      bindings
    )
    return found.rows
  }
}
