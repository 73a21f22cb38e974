import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { idleTimeout } from '#config/sessions'

/**
 * How long uses of one session merge before one write, in milliseconds.
 */
const WRITE_EVERY = 60_000

/**
 * How often the ledger looks for writes that are due, in milliseconds.
 */
const FLUSH_EVERY = 5_000

/**
 * Entries of one statement.
 */
const ENTRIES_PER_STATEMENT = 10_000

type Write = (entries: { id: string; at: Date }[]) => Promise<void>

/**
 * Remembers when things were last used and writes that behind the requests: merged, at most once
 * a minute for each, many in one statement.
 *
 * What it loses in a crash is at most a minute of "last seen". What it writes can't revive
 * anything: the statement touches rows that are alive, moves time forward only, and passes over
 * rows that somebody is changing.
 */
export class LastUsedBuffer {
  readonly #write: Write
  readonly #writeEvery: () => number
  readonly #entries = new Map<string, { usedAt: number; writtenAt: number }>()
  #timer?: NodeJS.Timeout
  #flushing?: Promise<void>

  /**
   * `writeEvery` says how long uses merge, in milliseconds.
   */
  constructor(write: Write, writeEvery = () => WRITE_EVERY) {
    this.#write = write
    this.#writeEvery = writeEvery
  }

  /**
   * Notes a use at this moment. `writtenAt` is what the database holds.
   */
  touch(id: string, writtenAt: Date | null): void {
    const usedAt = clock.millis()
    const entry = this.#entries.get(id)
    if (entry) entry.usedAt = Math.max(entry.usedAt, usedAt)
    else this.#entries.set(id, { usedAt, writtenAt: writtenAt?.getTime() ?? 0 })
    this.#timer ??= setInterval(() => void this.flush().catch(() => {}), FLUSH_EVERY).unref()
  }

  /**
   * The latest use: what the database holds, or what this node has seen since.
   */
  latest(id: string, stored: Date): Date {
    const usedAt = this.#entries.get(id)?.usedAt
    return usedAt !== undefined && usedAt > stored.getTime() ? new Date(usedAt) : stored
  }

  /**
   * Writes what is due, or everything. What was written is remembered for as long as it keeps the
   * next write away: a request that read the row before does not write again. Throws when the database refuses; the entries stay then.
   */
  async flush(options: { everything?: boolean } = {}): Promise<void> {
    while (this.#flushing) await this.#flushing.catch(() => {})
    this.#flushing = this.#flushDue(options.everything ?? false)
    try {
      await this.#flushing
    } finally {
      this.#flushing = undefined
    }
  }

  /**
   * Stops the timer and writes what is left.
   */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.flush({ everything: true })
  }

  async #flushDue(everything: boolean) {
    const now = clock.millis()
    const writeEvery = this.#writeEvery()
    const due: { id: string; at: Date }[] = []
    for (const [id, { usedAt, writtenAt }] of this.#entries) {
      const ripe = now - writtenAt >= writeEvery
      if (usedAt > writtenAt) {
        if (ripe || everything) due.push({ id, at: new Date(usedAt) })
      } else if (ripe) {
        this.#entries.delete(id)
      }
    }
    for (let start = 0; start < due.length; start += ENTRIES_PER_STATEMENT) {
      const batch = due.slice(start, start + ENTRIES_PER_STATEMENT)
      await this.#write(batch)
      for (const { id, at } of batch) {
        const entry = this.#entries.get(id)
        if (entry) entry.writtenAt = at.getTime()
      }
    }
  }
}

/**
 * One statement that moves a time column forward for many rows. On PostgreSQL rows that are
 * locked, because somebody ends or renews them, are skipped: it never waits and can't deadlock.
 */
async function moveForward(
  client: QueryClientContract,
  target: { table: string; id: 'uuid' | 'bigint'; column: string; alive: string },
  entries: { id: string; at: Date }[]
) {
  const { table, column, alive } = target
  if (client.dialect.name === 'postgres') {
    await client.rawQuery(
      `WITH used AS (
         SELECT * FROM unnest(?::${target.id}[], ?::timestamptz[]) AS used(id, at)
       ), free AS (
         SELECT ${table}.id FROM ${table} JOIN used ON used.id = ${table}.id
         WHERE ${alive} ORDER BY ${table}.id FOR NO KEY UPDATE OF ${table} SKIP LOCKED
       )
       UPDATE ${table} SET ${column} = used.at FROM used JOIN free ON free.id = used.id
       WHERE ${table}.id = used.id AND ${alive}
         AND (${table}.${column} IS NULL OR ${table}.${column} < used.at)`,
      [entries.map((entry) => entry.id), entries.map((entry) => entry.at)] as any
    )
  } else {
    const pairs = entries.map((entry) => [entry.id, entry.at.getTime()])
    await client.rawQuery(
      `UPDATE ${table} SET ${column} = used.at
       FROM (SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(?)) AS used
       WHERE ${table}.id = used.id AND ${alive}
         AND (${table}.${column} IS NULL OR ${table}.${column} < used.at)`,
      [JSON.stringify(pairs)]
    )
  }
}

/**
 * When each session was last seen (`sessions.last_seen_at`). Other nodes judge by what is written,
 * so a short idle timeout is written more often.
 */
export const lastSeen = new LastUsedBuffer(
  (entries) =>
    moveForward(
      db.connection(),
      { table: 'sessions', id: 'uuid', column: 'last_seen_at', alive: 'sessions.ended_at IS NULL' },
      entries
    ),
  () => Math.min(WRITE_EVERY, idleTimeout() / 4)
)

/**
 * When each API key was last used (`api_tokens.last_used_at`).
 */
export const keyLastUsed = new LastUsedBuffer((entries) =>
  moveForward(
    db.connection(),
    {
      table: 'api_tokens',
      id: 'bigint',
      column: 'last_used_at',
      alive: "api_tokens.type = 'api_key'",
    },
    entries
  )
)
