import { availableParallelism } from 'node:os'
import { hashSeconds } from '#app/metrics/metrics'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * Bounds how many password hashes run at once and how many may wait.
 *
 * A hash takes a whole core for tens of milliseconds, and one that waits for its turn in a thread
 * pool makes everything else there wait too: without a bound a storm of sign-ins takes the checks of
 * every other request down with it.
 */
export class HashQueue {
  readonly #concurrency: number
  readonly #limit: () => number
  readonly #waiting: (() => void)[] = []
  #running = 0

  /**
   * As many hashes at once as there are cores less one, at least one. `limit` says how many may
   * wait.
   */
  constructor(limit: () => number, concurrency = Math.max(availableParallelism() - 1, 1)) {
    this.#limit = limit
    this.#concurrency = concurrency
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Runs a hash when its turn comes. Throws `E_UNAVAILABLE` at once when too many wait.
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length >= this.#limit()) throw new E_UNAVAILABLE({ retryAfter: 2 })
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#running++
    }
    const measured = hashSeconds.startTimer()
    try {
      return await work()
    } finally {
      measured()
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
