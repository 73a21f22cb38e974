import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { rows } from '#app/database/sql'

/**
 * What stands under a key: units used up, and when (Unix epoch, milliseconds) they are forgotten.
 */
export type Count = { points: number; expire: number }

type Request = {
  key: string
  units: number
  windowMs: number
  resolve: (count: Count) => void
  reject: (error: unknown) => void
}

type Row = { key: string; points: number | string; expire: number | string }

/**
 * The rate-limit counter: counts units in the database, atomically and for all nodes. What is asked
 * for while a statement is under way goes together in the next one, so that a storm costs a few
 * statements and a lone request one.
 *
 * Never call it inside a transaction: on SQLite it would wait for itself.
 */
export class RateLimitCounter {
  readonly #takes: Request[] = []
  readonly #returns: Request[] = []
  #writing = false

  /**
   * Adds units under a key. The first of a window begins it. Answers with what stands there then,
   * counted in the order of asking, so that of many at once exactly so many stay within a limit.
   * Throws what the database throws.
   */
  take(key: string, units: number, windowMs: number): Promise<Count> {
    return new Promise((resolve, reject) => {
      this.#takes.push({ key, units, windowMs, resolve, reject })
      queueMicrotask(() => void this.#write())
    })
  }

  /**
   * Takes units back off, in the window that runs and never below zero. On one node it is seen by
   * everything that is asked for later. It waits for `setImmediate`, so that a return alone lets
   * the answer of its request go first.
   */
  giveBack(key: string, units: number): Promise<Count> {
    return new Promise((resolve, reject) => {
      this.#returns.push({ key, units, windowMs: 0, resolve, reject })
      setImmediate(() => void this.#write())
    })
  }

  /**
   * Returns are written before takes: whoever asks after a return sees it.
   */
  async #write() {
    if (this.#writing) return
    this.#writing = true
    while (this.#returns.length > 0 || this.#takes.length > 0) {
      const returns = this.#returns.splice(0)
      const takes = this.#takes.splice(0)
      if (returns.length > 0) await answer(returns, writeReturns)
      if (takes.length > 0) await answer(takes, writeTakes)
    }
    this.#writing = false
  }
}

/**
 * The one of this process.
 */
export const rateLimitCounter = new RateLimitCounter()

/**
 * Writes all requests in one statement, and answers each with what stood under its key once it was
 * counted, but not those behind it.
 */
async function answer(
  requests: Request[],
  write: (sums: Request[]) => Promise<Row[]>
): Promise<void> {
  const sums = new Map<string, Request>()
  for (const request of requests) {
    const sum = sums.get(request.key)
    if (sum) sum.units += request.units
    else sums.set(request.key, { ...request })
  }
  try {
    const written = await write([...sums.values()])
    const counts = new Map(written.map((row) => [row.key, row]))
    for (const { key, units, resolve } of requests) {
      const sum = sums.get(key)!
      sum.units -= units
      const { points, expire } = counts.get(key) ?? { points: sum.units, expire: clock.millis() }
      resolve({ points: Number(points) - sum.units, expire: Number(expire) })
    }
  } catch (error) {
    for (const { reject } of requests) reject(error)
  }
}

/**
 * Whether the window on record is still running. One that ends later than one that began now by
 * more than its own length was written under a clock that has been set back since: it counts as
 * over, or it would last for as long.
 */
const RUNNING = 'rate_limits.expire > ? AND rate_limits.expire < 2 * excluded.expire - ?'

/**
 * PostgreSQL locks rows in the order of their keys, so that two nodes can't wait for each other.
 */
async function writeTakes(sums: Request[]): Promise<Row[]> {
  const client = db.connection()
  const now = clock.millis()
  const { source, bindings } = asRows(
    client.dialect.name,
    sums.map(({ key, units, windowMs }) => [key, units, now + windowMs])
  )
  return rows<Row>(
    client,
    `INSERT INTO rate_limits (key, points, expire)
     SELECT key, units, expire FROM ${source} AS requested WHERE true ORDER BY key
     ON CONFLICT (key) DO UPDATE SET
       points = CASE WHEN ${RUNNING} THEN rate_limits.points ELSE 0 END + excluded.points,
       expire = CASE WHEN ${RUNNING} THEN rate_limits.expire ELSE excluded.expire END
     RETURNING key, points, expire`,
    [...bindings, now, now, now, now]
  )
}

async function writeReturns(sums: Request[]): Promise<Row[]> {
  const client = db.connection()
  const now = clock.millis()
  const { source, bindings } = asRows(
    client.dialect.name,
    sums.map(({ key, units }) => [key, units, now])
  )
  const lock = client.dialect.name === 'postgres' ? 'FOR UPDATE OF stored' : ''
  return rows<Row>(
    client,
    `UPDATE rate_limits
     SET points = CASE WHEN rate_limits.points > back.units THEN rate_limits.points - back.units ELSE 0 END
     FROM (
       SELECT stored.key, given.units FROM ${source} AS given
       JOIN rate_limits AS stored ON stored.key = given.key AND stored.expire > given.expire
       ORDER BY stored.key ${lock}
     ) AS back
     WHERE rate_limits.key = back.key
     RETURNING rate_limits.key AS key, points, expire`,
    bindings
  )
}

/**
 * A list as rows of `key`, `units` and `expire`, bound so that the statement stays the same. On
 * PostgreSQL the commit of a statement that reads it is answered before it has reached the disk:
 * what a crash loses of a count is less than a second of it.
 */
function asRows(dialect: string, list: [key: string, units: number, expire: number][]) {
  if (dialect === 'postgres') {
    const columns = [0, 1, 2].map((index) => list.map((row) => row[index]))
    return {
      source: `(SELECT r.key, r.units, r.expire FROM unnest(?::text[], ?::int[], ?::bigint[]) AS r (key, units, expire),
        (SELECT set_config('synchronous_commit', 'off', true)) AS soon)`,
      bindings: columns as unknown[],
    }
  }
  const [key, units, expire] = [0, 1, 2].map((index) => `json_extract(value, '$[${index}]')`)
  return {
    source: `(SELECT ${key} AS key, ${units} AS units, ${expire} AS expire FROM json_each(?))`,
    bindings: [JSON.stringify(list)] as unknown[],
  }
}
