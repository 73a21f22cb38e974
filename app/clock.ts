import { Settings } from 'luxon'

/**
 * The one place where the application asks what time it is. Tests freeze and advance it.
 */
class Clock {
  #frozenAt?: number

  /**
   * Milliseconds added to the machine's time. Test servers start with it to live in the future.
   */
  #offset = process.env.NODE_ENV === 'test' ? Number(process.env.CLOCK_OFFSET_MS ?? 0) : 0

  /**
   * The present, in milliseconds of the Unix epoch.
   */
  millis(): number {
    return this.#frozenAt ?? Date.now() + this.#offset
  }

  /**
   * The present.
   */
  now(): Date {
    return new Date(this.millis())
  }

  /**
   * Stops the clock, at the present unless told otherwise.
   */
  freeze(at: Date = this.now()): void {
    this.#frozenAt = at.getTime()
  }

  /**
   * Moves a frozen clock by so many milliseconds.
   */
  advance(milliseconds: number): void {
    this.#frozenAt = this.millis() + milliseconds
  }

  /**
   * Lets the clock run again.
   */
  restore(): void {
    this.#frozenAt = undefined
  }
}

const clock = new Clock()

/**
 * luxon asks this clock too: `DateTime.now()`, and what `autoCreate` and `autoUpdate` of a model
 * write. In UTC, so that an instant in JSON reads the same whether it was just made or comes from
 * the database, on every machine.
 */
Settings.now = () => clock.millis()
Settings.defaultZone = 'utc'

export default clock
