import db from '@adonisjs/lucid/services/db'
import { EVENTS_PER_LOOK, type LogSource, type NewEvents } from '#app/event_log/tail/log_source'
import { endOfLog, readEvents, type EventCursor } from '#app/event_log/read'
import { rows } from '#app/database/sql'

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
