/**
 * Chance that a seed repeats: the same seed makes the same choices on every machine.
 */
export class Chance {
  #state: number

  constructor(readonly seed: number) {
    this.#state = seed >>> 0
  }

  /**
   * At least 0, less than 1 (mulberry32).
   */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /**
   * True in so many of a hundred cases.
   */
  percent(share: number): boolean {
    return this.next() * 100 < share
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }
}
