type Job = () => Promise<void>

/**
 * Work that goes on after the answer: so many jobs at once, so many waiting, and no more. A job
 * that fails is told to `failed` and to nobody else. A crash loses what waits, so only work that
 * may be lost or asked for again goes here.
 */
export class BackgroundQueue {
  readonly #limits: { atOnce: number; waiting: number }
  readonly #failed: (error: unknown) => void
  readonly #waiting: Job[] = []
  readonly #idle: (() => void)[] = []
  #running = 0

  constructor(limits: { atOnce: number; waiting: number }, failed: (error: unknown) => void) {
    this.#limits = limits
    this.#failed = failed
  }

  /**
   * Whether no more jobs are taken for now.
   */
  get isFull(): boolean {
    return this.#waiting.length >= this.#limits.waiting
  }

  /**
   * Takes a job, unless too many wait: then it is not done, and the answer is false. The job
   * begins after the work that is under way at this moment.
   */
  add(job: Job): boolean {
    if (this.isFull) return false
    this.#waiting.push(job)
    setImmediate(() => this.#next())
    return true
  }

  /**
   * Resolves once every job is done, at the latest after so many milliseconds.
   */
  async settled(patience = 5_000): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      new Promise<void>((resolve) => this.#idle.push(resolve)),
      new Promise<void>((resolve) => (timer = setTimeout(resolve, patience))),
    ])
    clearTimeout(timer)
  }

  #next() {
    if (this.#running >= this.#limits.atOnce) return
    const job = this.#waiting.shift()
    if (!job) return
    this.#running++
    void job()
      .catch(this.#failed)
      .finally(() => {
        this.#running--
        if (this.#waiting.length > 0) this.#next()
        else if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve()
      })
  }
}
