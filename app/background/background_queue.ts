import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Semaphore } from '#app/background/semaphore'

/**
 * Work that goes on after the answer, with a bound on how many jobs run at once and how many wait.
 * A job that fails is told to `failed` and to nobody else. A crash loses what waits, so only work
 * that may be lost or asked for again goes here.
 */
export class BackgroundQueue {
  readonly #semaphore: Semaphore
  readonly #failed: (error: unknown) => void
  readonly #jobs = new Set<Promise<void>>()

  constructor(limits: { atOnce: number; waiting: number }, failed: (error: unknown) => void) {
    this.#semaphore = new Semaphore({ total: limits.atOnce }, () => limits.waiting)
    this.#failed = failed
  }

  /**
   * Whether no more jobs are taken for now.
   */
  get isFull(): boolean {
    return this.#semaphore.isFull
  }

  /**
   * Takes a job, unless too many wait: then it is not done, and the answer is false. The job
   * begins after the work that is under way at this moment.
   */
  add(job: () => Promise<void>): boolean {
    if (this.isFull) return false
    const done: Promise<void> = this.#semaphore
      .run(() => nextTurn().then(job))
      .catch(this.#failed)
      .finally(() => this.#jobs.delete(done))
    this.#jobs.add(done)
    return true
  }

  /**
   * Resolves once every job is done, those too that are added meanwhile; at the latest after so
   * many milliseconds. Returns how many are left then.
   */
  async settled(timeoutMs = 5_000): Promise<number> {
    const timeout = sleep(timeoutMs, 'timeout', { ref: false })
    while (this.#jobs.size > 0) {
      if ((await Promise.race([timeout, Promise.all(this.#jobs)])) === 'timeout') break
    }
    return this.#jobs.size
  }
}
