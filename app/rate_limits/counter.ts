import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { rows } from '#app/database/sql'

/**
 * What stands under a key: units used up, and when (Unix epoch, milliseconds) they are forgotten.
 */
export type Entry = { points: number; expire: number }

type Pending = {
  key: string
  units: number
  windowMs: number
  resolve: (entry: Entry) => void
  reject: (error: unknown) => void
}

type Stored = { key: string; points: number | string; expire: number | string }

/**
 * Counts units in the database, atomically and for all nodes. What is asked for while a statement
 * is under way goes together in the next one, so that a storm costs a few statements and a lone
 * request one.
 *
 * Never call it inside a transaction: on SQLite it would wait for itself.
 */
export class RateLimitCounter {
  readonly #takes: Pending[] = []
  readonly #returns: Pending[] = []
  #writing = false

  /**
   * Adds units under a key. The first of a window begins it. Answers with what stands there then,
   * counted in the order of asking, so that of many at once exactly so many stay within a limit.
   * Throws what the database throws.
   */
  take(key: string, units: number, windowMs: number): Promise<Entry> {
    return this.#ask(this.#takes, { key, units, windowMs })
  }

  /**
   * Takes units back off, in the window that runs and never below zero. On one node it is seen by
   * everything that is asked for later.
   */
  giveBack(key: string, units: number): Promise<Entry> {
    return this.#ask(this.#returns, { key, units, windowMs: 0 })
  }

  /**
   * What stands under a key in the window that runs; null when nothing does.
   */
  async read(key: string): Promise<Entry | null> {
    const [found] = await rows<Stored>(
      db.connection(),
      'SELECT key, points, expire FROM rate_limits WHERE key = ? AND expire > ?',
      [key, clock.millis()]
    )
    return found ? toEntry(found) : null
  }

  /**
   * Writes what stands under a key, in a window that begins now.
   */
  async write(key: string, points: number, windowMs: number): Promise<Entry> {
    const [written] = await rows<Stored>(
      db.connection(),
      `INSERT INTO rate_limits (key, points, expire) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET points = excluded.points, expire = excluded.expire
       RETURNING key, points, expire`,
      [key, points, clock.millis() + windowMs]
    )
    return toEntry(written)
  }

  /**
   * Forgets a key. False when nothing stood there.
   */
  async forget(key: string): Promise<boolean> {
    const gone = await rows(
      db.connection(),
      'DELETE FROM rate_limits WHERE key = ? RETURNING key',
      [key]
    )
    return gone.length > 0
  }

  #ask(queue: Pending[], wish: Omit<Pending, 'resolve' | 'reject'>): Promise<Entry> {
    return new Promise((resolve, reject) => {
      queue.push({ ...wish, resolve, reject })
      if (queue === this.#takes) queueMicrotask(() => void this.#write())
      else setImmediate(() => void this.#write())
    })
  }

  /**
   * Units come back before others are taken: whoever asks after a return sees it. A return alone
   * lets the answer of its request go first.
   */
  async #write() {
    if (this.#writing) return
    this.#writing = true
    while (this.#returns.length > 0 || this.#takes.length > 0) {
      const returns = this.#returns.splice(0)
      const takes = this.#takes.splice(0)
      if (returns.length > 0) await settle(returns, writeReturns)
      if (takes.length > 0) await settle(takes, writeTakes)
    }
    this.#writing = false
  }
}

/**
 * The one ledger of this process.
 */
export const ledger = new RateLimitCounter()

/**
 * Rows of one statement: few, so that nobody waits long behind it.
 */
const BATCH = 1000

/**
 * Removes windows that are over, until `signal` says to stop. Returns how many.
 */
export async function removeOldWindows(signal?: AbortSignal): Promise<number> {
  let total = 0
  while (!signal?.aborted) {
    const gone = await rows(
      db.connection(),
      `DELETE FROM rate_limits WHERE key IN (
         SELECT key FROM rate_limits WHERE expire <= ? LIMIT ${BATCH}
       ) RETURNING key`,
      [clock.millis()]
    )
    total += gone.length
    if (gone.length < BATCH) break
  }
  return total
}

/**
 * One statement for all, which then hear each what stood there after their turn.
 */
async function settle(
  asked: Pending[],
  write: (sums: Map<string, Pending>) => Promise<Stored[]>
): Promise<void> {
  const sums = new Map<string, Pending>()
  for (const wish of asked) {
    const sum = sums.get(wish.key)
    if (sum) sum.units += wish.units
    else sums.set(wish.key, { ...wish })
  }
  try {
    const stored = await write(sums)
    const entries = new Map(stored.map((row) => [row.key, toEntry(row)]))
    const later = new Map([...sums].map(([key, sum]) => [key, sum.units]))
    for (const { key, units, resolve } of asked) {
      const behind = later.get(key)! - units
      later.set(key, behind)
      const entry = entries.get(key) ?? { points: 0, expire: clock.millis() }
      resolve({ ...entry, points: entry.points - behind })
    }
  } catch (error) {
    for (const { reject } of asked) reject(error)
  }
}

/**
 * A window that ends later than one that began now by more than its own length was written under
 * a clock that has been set back since: it counts as over, or it would last for as long.
 */
const RUNNING = 'rate_limits.expire > ? AND rate_limits.expire < 2 * excluded.expire - ?'

/**
 * PostgreSQL locks rows in the order of their keys, so that two nodes can't wait for each other.
 */
async function writeTakes(sums: Map<string, Pending>): Promise<Stored[]> {
  const client = db.connection()
  const now = clock.millis()
  const wished = [...sums.values()].map(
    ({ key, units, windowMs }) => [key, units, now + windowMs] as const
  )
  const { source, bindings } = asRows(client.dialect.name, wished)
  return rows<Stored>(
    client,
    `INSERT INTO rate_limits (key, points, expire)
     SELECT key, units, expire FROM ${source} AS wished WHERE true ORDER BY key
     ON CONFLICT (key) DO UPDATE SET
       points = CASE WHEN ${RUNNING} THEN rate_limits.points ELSE 0 END + excluded.points,
       expire = CASE WHEN ${RUNNING} THEN rate_limits.expire ELSE excluded.expire END
     RETURNING key, points, expire`,
    [...bindings, now, now, now, now]
  )
}

async function writeReturns(sums: Map<string, Pending>): Promise<Stored[]> {
  const client = db.connection()
  const now = clock.millis()
  const given = [...sums.values()].map(({ key, units }) => [key, units, now] as const)
  const { source, bindings } = asRows(client.dialect.name, given)
  const lock = client.dialect.name === 'postgres' ? 'FOR UPDATE OF stored' : ''
  return rows<Stored>(
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
function asRows(dialect: string, list: (readonly [string, number, number])[]) {
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

function toEntry({ points, expire }: Stored): Entry {
  return { points: Number(points), expire: Number(expire) }
}
