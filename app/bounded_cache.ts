/**
 * Remembers values by key, but no more than `max` of them: then the one used longest ago is
 * forgotten. Whatever strangers send can be remembered here without filling the memory.
 */
export class BoundedCache<Key, Value> {
  readonly #max: number
  /** A Map keeps the order of insertion, so the first entry is the one used longest ago. */
  readonly #entries = new Map<Key, Value>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) this.#entries.delete(this.#entries.keys().next().value!)
  }

  /**
   * The value of a key, made and remembered if it is not known.
   */
  getOrSet(key: Key, make: (key: Key) => Value): Value {
    let value = this.get(key)
    if (value === undefined) this.set(key, (value = make(key)))
    return value
  }
}
