import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { rows } from '#app/database/sql'

/**
 * Takes on a piece of regular work, if nobody has within `interval` milliseconds: of all the
 * nodes that ask at one moment, one is told true. A node that dies at it is followed by the next
 * an interval later.
 */
async function claimJob(task: string, interval: number): Promise<boolean> {
  const now = clock.millis()
  const claimed = await rows(
    db.connection(),
    `INSERT INTO maintenance (task, claimed_at) VALUES (?, ?)
     ON CONFLICT (task) DO UPDATE SET claimed_at = excluded.claimed_at
     WHERE maintenance.claimed_at <= ?
     RETURNING task`,
    [task, new Date(now), new Date(now - interval)]
  )
  return claimed.length === 1
}

/**
 * Tells other nodes that a piece of work is being done, so that none takes it on for an interval
 * from now.
 */
export async function renewJobClaim(task: string): Promise<void> {
  await rows(
    db.connection(),
    `INSERT INTO maintenance (task, claimed_at) VALUES (?, ?)
     ON CONFLICT (task) DO UPDATE SET claimed_at = excluded.claimed_at
     RETURNING task`,
    [task, clock.now()]
  )
}

type Work = (signal: AbortSignal) => Promise<void>

/**
 * Looks every so often whether a piece of regular work is due, and does it if no other node has.
 */
export class ScheduledJob {
  readonly #options: { task: string; interval: number; lookEvery: number; work: Work }
  readonly #failed: (error: unknown) => void
  readonly #stopping = new AbortController()
  #timer?: NodeJS.Timeout
  #look?: Promise<void>

  /**
   * Both times are in milliseconds. `failed` hears of every failure; the next look comes all the
   * same.
   */
  constructor(
    options: { task: string; interval: number; lookEvery: number; work: Work },
    failed: (error: unknown) => void
  ) {
    this.#options = options
    this.#failed = failed
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.look(), this.#options.lookEvery).unref()
  }

  /**
   * Looks now, unless a look is under way: then it waits for that one.
   */
  async look(): Promise<void> {
    this.#look ??= this.#claimAndWork()
      .catch(this.#failed)
      .finally(() => (this.#look = undefined))
    await this.#look
  }

  /**
   * Looks no more, and waits until the work under way has stopped.
   */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#look
  }

  async #claimAndWork() {
    const { task, interval, work } = this.#options
    if (this.#stopping.signal.aborted) return
    if (await claimJob(task, interval)) await work(this.#stopping.signal)
  }
}
