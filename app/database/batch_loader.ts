import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * Reads what stands behind several keys with one statement.
 */
export type ReadMany<Value> = (keys: string[]) => Promise<Map<string, Value>>

type Waiter<Value> = {
  resolve: (value: Value | undefined) => void
  reject: (error: unknown) => void
}

/**
 * Lets reads that arrive while another is under way go together in the next one.
 *
 * A read is only ever answered from a statement that began after it arrived, so whatever committed
 * before the read arrived is seen. Few statements are under way at a time; a lone read waits for
 * nobody; a failed statement fails the reads that went with it and no others.
 */
export class BatchLoader<Value> {
  readonly #readMany: ReadMany<Value>
  readonly #limits: { statements: number; waiting: number; keys: number }

  /**
   * Reads that wait for the next statement, by key.
   */
  #waiting = new Map<string, Waiter<Value>[]>()
  #waitingCount = 0
  #scheduled = false
  #underWay = 0

  /**
   * `statements`: how many may be under way at once. `waiting`: reads that may wait before more
   * are refused with `E_UNAVAILABLE`. `keys`: keys in one statement; the rest go in the one after.
   */
  constructor(readMany: ReadMany<Value>, { statements = 1, waiting = 10_000, keys = 1_000 } = {}) {
    this.#readMany = readMany
    this.#limits = { statements, waiting, keys }
  }

  /**
   * Reads that wait for a statement to begin.
   */
  get waiting(): number {
    return this.#waitingCount
  }

  /**
   * What stands behind the key now; undefined for nothing. Throws `E_UNAVAILABLE` when too many
   * wait, and whatever the statement throws.
   */
  read(key: string): Promise<Value | undefined> {
    if (this.#waitingCount >= this.#limits.waiting) return Promise.reject(new E_UNAVAILABLE())

    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject }
      const others = this.#waiting.get(key)
      if (others) others.push(waiter)
      else this.#waiting.set(key, [waiter])
      this.#waitingCount++
      this.#schedule()
    })
  }

  /**
   * The next statement begins once the sockets that are ready have been read, so that requests
   * which arrived at one moment share it.
   */
  #schedule() {
    const full = this.#underWay >= this.#limits.statements
    if (this.#scheduled || full || this.#waiting.size === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#run()
    })
  }

  #takeBatch(): Map<string, Waiter<Value>[]> {
    let batch = this.#waiting
    if (batch.size <= this.#limits.keys) {
      this.#waiting = new Map()
    } else {
      batch = new Map()
      for (const [key, waiters] of this.#waiting) {
        if (batch.size === this.#limits.keys) break
        batch.set(key, waiters)
        this.#waiting.delete(key)
      }
    }
    for (const waiters of batch.values()) this.#waitingCount -= waiters.length
    return batch
  }

  async #run() {
    const batch = this.#takeBatch()
    this.#underWay++
    try {
      const found = await this.#readMany([...batch.keys()])
      for (const [key, waiters] of batch) {
        const value = found.get(key)
        for (const { resolve } of waiters) resolve(value)
      }
    } catch (error) {
      for (const waiters of batch.values()) for (const { reject } of waiters) reject(error)
    } finally {
      this.#underWay--
      this.#schedule()
    }
  }
}
