import clock from '#app/clock'

/**
 * More than are full at once unless somebody has thousands of networks; then those that were found
 * full first are forgotten.
 */
const MOST = 10_000

/**
 * The buckets that this process has found full, by their keys.
 */
export class FullBuckets {
  readonly #until = new Map<string, number>()

  /**
   * Notes that a bucket is full until some time (Unix epoch, milliseconds).
   */
  add(key: string, until: number): void {
    this.#until.delete(key)
    this.#until.set(key, until)
    if (this.#until.size > MOST) this.#until.delete(this.#until.keys().next().value!)
  }

  /**
   * Whether a bucket was found full and is not free again yet.
   */
  has(key: string): boolean {
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (clock.millis() < until) return true
    this.#until.delete(key)
    return false
  }
}
