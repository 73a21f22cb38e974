import { E_UNAVAILABLE } from '#exceptions/errors'

type Turn = { inside: number; waiting: (() => void)[] }

/**
 * Lets so many of one key in at once; the others wait in line, in the order of their coming.
 *
 * An attempt holds its units until it is known to have succeeded. Without a line a burst of good
 * sign-ins would hold more than the limit and refuse each other.
 */
export class KeyedSemaphore {
  readonly #width: number
  readonly #longest: () => number
  readonly #turns = new Map<string, Turn>()
  #waiting = 0

  /**
   * `longest` says how many may wait, of all keys.
   */
  constructor(width: number, longest: () => number) {
    this.#width = width
    this.#longest = longest
  }

  /**
   * Runs the work when its turn comes. Throws `E_UNAVAILABLE` at once when too many wait.
   */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turns.get(key) ?? { inside: 0, waiting: [] }
    this.#turns.set(key, turn)
    if (turn.inside >= this.#width) {
      if (this.#waiting >= this.#longest()) throw new E_UNAVAILABLE({ retryAfter: 2 })
      this.#waiting++
      await new Promise<void>((resolve) => turn.waiting.push(resolve))
      this.#waiting--
    } else {
      turn.inside++
    }
    try {
      return await work()
    } finally {
      const next = turn.waiting.shift()
      if (next) next()
      else if (--turn.inside === 0) this.#turns.delete(key)
    }
  }
}
