import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { rows } from '#app/database/sql'

/**
 * How long uses of one thing merge before one write, in milliseconds.
 */
const MERGE_MS = 60_000

/**
 * How often the buffer looks for writes that are due, in milliseconds, at least.
 */
const FLUSH_EVERY_MS = 5_000

/**
 * Uses of one statement.
 */
const USES_PER_STATEMENT = 10_000

export type Use = { id: string; at: Date }

/**
 * Remembers when things were last used and writes that behind the requests (write-behind): merged,
 * at most once a minute for each, many in one statement. A crash loses what was not written yet.
 */
export class LastUsedBuffer {
  readonly #write: (uses: Use[]) => Promise<void>
  readonly #mergeMs: () => number
  readonly #entries = new Map<string, { usedAt: number; writtenAt: number }>()
  #timer?: NodeJS.Timeout
  #flushing?: Promise<void>

  /**
   * `write` must move times forward only, and touch nothing that has ended. `mergeMs` says how long
   * uses merge, in milliseconds; it gets the usual time.
   */
  constructor(
    write: (uses: Use[]) => Promise<void>,
    mergeMs: (usual: number) => number = (usual) => usual
  ) {
    this.#write = write
    this.#mergeMs = () => mergeMs(MERGE_MS)
  }

  /**
   * Notes a use at this moment. `writtenAt` is what the database holds.
   */
  touch(id: string, writtenAt: Date | null): void {
    const usedAt = clock.millis()
    const entry = this.#entries.get(id)
    if (entry) entry.usedAt = Math.max(entry.usedAt, usedAt)
    else this.#entries.set(id, { usedAt, writtenAt: writtenAt?.getTime() ?? 0 })
    this.#timer ??= setInterval(
      () => void this.flush().catch(() => {}),
      Math.min(FLUSH_EVERY_MS, this.#mergeMs())
    ).unref()
  }

  /**
   * The latest use: what the database holds, or what this node has seen since. To show, and to
   * choose by; it never decides whether something lives.
   */
  latest(id: string, stored: Date): Date {
    const usedAt = this.#entries.get(id)?.usedAt
    return usedAt !== undefined && usedAt > stored.getTime() ? new Date(usedAt) : stored
  }

  /**
   * Writes what is due, or everything. What was written is remembered for as long as it keeps the
   * next write away: a request that read the row before does not write again. Throws when the
   * database refuses; the entries stay then.
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
    const mergeMs = this.#mergeMs()
    const due: Use[] = []
    for (const [id, { usedAt, writtenAt }] of this.#entries) {
      const ripe = now - writtenAt >= mergeMs
      if (usedAt > writtenAt) {
        if (ripe || everything) due.push({ id, at: new Date(usedAt) })
      } else if (ripe) {
        this.#entries.delete(id)
      }
    }
    for (let start = 0; start < due.length; start += USES_PER_STATEMENT) {
      const batch = due.slice(start, start + USES_PER_STATEMENT)
      await this.#write(batch)
      for (const { id, at } of batch) {
        const entry = this.#entries.get(id)
        if (entry) entry.writtenAt = at.getTime()
      }
    }
  }
}

/**
 * Moves a time column forward in many rows that meet a condition: never back, so that writes may
 * come late and in any order. With `skipLocked`, rows that another transaction is changing on
 * PostgreSQL are left out (SKIP LOCKED): the write never waits and takes no part in a deadlock.
 */
export async function moveForward(
  client: QueryClientContract,
  target: {
    table: string
    id: 'uuid' | 'bigint'
    column: string
    where: { sql: string; bindings: unknown[] }
  },
  uses: Use[],
  { skipLocked = false } = {}
): Promise<void> {
  const { table, column, where } = target
  const isLater = `(${table}.${column} IS NULL OR ${table}.${column} < used.at)`
  if (client.dialect.name === 'postgres') {
    await rows(
      client,
      `WITH used AS (
         SELECT * FROM unnest(?::${target.id}[], ?::timestamptz[]) AS used(id, at)
       ), free AS (
         SELECT ${table}.id FROM ${table} JOIN used ON used.id = ${table}.id
         WHERE ${where.sql} ORDER BY ${table}.id
         FOR NO KEY UPDATE OF ${table} ${skipLocked ? 'SKIP LOCKED' : ''}
       )
       UPDATE ${table} SET ${column} = used.at FROM used JOIN free ON free.id = used.id
       WHERE ${table}.id = used.id AND ${isLater} AND ${where.sql}`,
      [uses.map(({ id }) => id), uses.map(({ at }) => at), ...where.bindings, ...where.bindings]
    )
  } else {
    await rows(
      client,
      `UPDATE ${table} SET ${column} = used.at
       FROM (SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(?)) AS used
       WHERE ${table}.id = used.id AND ${isLater} AND ${where.sql}`,
      [JSON.stringify(uses.map(({ id, at }) => [id, at.getTime()])), ...where.bindings]
    )
  }
}
