/**
 * Milliseconds that never run backwards, and go on while the machine sleeps as far as the wall clock
 * knows: what is measured with it is never taken for younger than it is.
 */
export class Clock {
  #latest = 0
  #monotonic = this.monotonic()
  #wall = this.wall()

  now(): number {
    const monotonic = this.monotonic()
    const wall = this.wall()
    this.#latest += Math.max(monotonic - this.#monotonic, wall - this.#wall, 0)
    this.#monotonic = monotonic
    this.#wall = wall
    return this.#latest
  }

  protected monotonic(): number {
    return performance.now()
  }

  protected wall(): number {
    return Date.now()
  }
}
