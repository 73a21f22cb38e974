import db from '@adonisjs/lucid/services/db'
import { connectPostgres, type PostgresClient } from '#app/database/postgres'
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
import { direct } from '#config/database'
import { E_CURSOR_GONE } from '#exceptions/errors'

/**
 * Events that have committed since the last look. `missed`: there are more than one look takes, or
 * the log was replaced, as by a restore under a running server; none are given, and the place in the log is
 * behind all of them.
 */
export type NewEvents = { events: LoggedEvent[]; missed: boolean }

/**
 * How many events one look takes.
 */
const EVENTS_PER_LOOK = 2_000

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
   * What has committed since the last look; `hinted` where somebody said that there is something.
   * Throws when the database can't be asked.
   */
  look(hinted: boolean): Promise<NewEvents>

  close(): Promise<void>
}

type Read = (query: EventQuery, hinted?: boolean) => Promise<EventPage>

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

  async look(hinted: boolean): Promise<NewEvents> {
    try {
      const page = await this.#read({ after: this.#place, limit: EVENTS_PER_LOOK + 1 }, hinted)
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

  look(hinted: boolean): Promise<NewEvents> {
    return this.#place.look(hinted)
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
 * The log on PostgreSQL, on a connection of its own: `NOTIFY` says that it has grown, and what is
 * new is read beside it, so that no sign-in that holds the other connections stands in the way.
 *
 * Behind a pooler of transactions nobody can be notified. Then the log is read on as often as the
 * tail asks (#app/event_log/tail/tail), unless there is a direct way to PostgreSQL.
 */
export class PostgresLog implements LogSource {
  #client?: PostgresClient
  readonly #place = new LogPlace((query, hinted) =>
    readBy((sql, bindings) => this.#ask(sql, bindings), true, query, hinted)
  )
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
      if (!this.#closed)
        failed(Object.assign(new Error('The connection to the log ended.'), { code: '08006' }))
    })
    client.on('notification', grown)
    if (direct.pooler !== 'transaction') await client.query(`LISTEN ${LOG_CHANNEL}`)
    await this.#place.toEnd()
  }

  look(hinted: boolean): Promise<NewEvents> {
    return this.#place.look(hinted)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client?.end()
  }

  async #ask(sql: string, bindings: unknown[]): Promise<unknown[]> {
    let count = 0
    const found = await this.#client!.query(
      sql.replaceAll('?', () => `$${++count}`),
      bindings
    )
    return found.rows
  }
}
