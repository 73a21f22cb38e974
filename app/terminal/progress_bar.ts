/**
 * Milliseconds between two drawings.
 */
const DRAW_EVERY = 100

type Screen = { isTTY?: boolean; columns?: number; write(text: string): unknown }

/**
 * How far long work has come, on one line of a terminal: a bar, counts, rate and time left. Where
 * no terminal is, it says nothing.
 */
export class ProgressBar {
  readonly #screen: Screen
  readonly #label: string
  readonly #began = performance.now()
  #total: number | null
  #done = 0
  #drawnAt = -Infinity

  /**
   * A total that nobody knows is null: then there is no bar and no time left.
   */
  constructor(total: number | null, label: string, screen: Screen = process.stderr) {
    this.#total = total
    this.#label = label
    this.#screen = screen
  }

  get done(): number {
    return this.#done
  }

  /**
   * Counts on, and draws when it is time.
   */
  advance(by: number): void {
    this.#done += by
    if (this.#total !== null) this.#total = Math.max(this.#total, this.#done)
    const now = performance.now()
    if (!this.#screen.isTTY || now - this.#drawnAt < DRAW_EVERY) return
    this.#drawnAt = now
    this.#screen.write(`\r${this.line(now - this.#began)}\u001b[K`)
  }

  /**
   * Takes the line off the terminal.
   */
  clear(): void {
    if (this.#screen.isTTY && this.#drawnAt > -Infinity) this.#screen.write('\r\u001b[K')
  }

  /**
   * The line after so many milliseconds.
   */
  line(elapsed: number): string {
    const rate = elapsed > 0 ? (this.#done / elapsed) * 1000 : 0
    if (this.#total === null) {
      return `${count(this.#done)} ${this.#label}  ${count(Math.round(rate))}/s`
    }
    const share = this.#total === 0 ? 1 : this.#done / this.#total
    const left = rate > 0 ? (this.#total - this.#done) / rate : 0
    const text =
      ` ${String(Math.floor(share * 100)).padStart(3)} %  ` +
      `${count(this.#done)} of ${count(this.#total)} ${this.#label}  ` +
      `${count(Math.round(rate))}/s  ${duration(left)} left`
    const room = (this.#screen.columns ?? 80) - text.length - 1
    const width = Math.min(Math.max(room, 0), 30)
    const filled = Math.round(share * width)
    return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}${text}`.slice(
      0,
      (this.#screen.columns ?? 80) - 1
    )
  }
}

/**
 * A number with its thousands set apart.
 */
export function count(number: number): string {
  return number.toLocaleString('en-US')
}

/**
 * So many of them: `1 session`, `1,200 sessions`.
 */
export function amount(number: number, one: string): string {
  return `${count(number)} ${one}${number === 1 ? '' : 's'}`
}

/**
 * Seconds as `42s`, `3m 05s` or `1h 02m`.
 */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole}s`
  const two = (number: number) => String(number).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`
  return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`
}
