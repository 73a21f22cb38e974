import app from '@adonisjs/core/services/app'
import { eventTail, type TailListener } from '#app/event_log/tail/tail'
import { E_UNAUTHORIZED_CLIENT } from '#exceptions/errors'
import { readRevocations, type RevocationPage } from '#app/event_log/revocations/read_revocations'
import type { EventPlace } from '#app/event_log/place'

/**
 * Milliseconds until the log is read again without a hint.
 */
const LOOK_AGAIN = 1_000

/**
 * Requests that may wait at once; any more are answered with what is there.
 */
const MOST_WAITING = 1_000
let waiting = 0

/**
 * The server waits for open answers when it stops, so those that wait are given out first.
 */
const stopping = new AbortController()
app.terminating(() => stopping.abort())

/**
 * The same as `readRevocations`, and waits up to so many milliseconds for the first one. Ends early,
 * with what is there, when `given` aborts or the application ends.
 *
 * `mayWait` says whether the asking client may still hear anything. It is asked of the database after
 * every look at the log, so a client that is revoked, on whichever node, hears nothing that came
 * after: `E_UNAUTHORIZED_CLIENT`, at the latest with the next look. A log that was replaced
 * meanwhile is noticed by the same look: `E_CURSOR_GONE`.
 */
export async function awaitRevocations(
  query: { after?: EventPlace; limit: number; waitMs: number; mayWait: () => Promise<boolean> },
  given: AbortSignal
): Promise<RevocationPage> {
  const signal = AbortSignal.any([given, stopping.signal])
  const deadline = performance.now() + query.waitMs
  let page = await readRevocations(query.after, query.limit)
  if (page.revocations.length > 0 || query.waitMs === 0 || waiting >= MOST_WAITING) return page

  const hints = new Hints(signal)
  const leave = await eventTail.listen(hints)
  waiting++
  try {
    for (let pause = 0; ; pause = LOOK_AGAIN) {
      const left = deadline - performance.now()
      if (left <= 0 || signal.aborted) return page
      await hints.wait(Math.min(pause, left))
      page = await readRevocations(page.place, query.limit)
      if (!(await query.mayWait())) throw new E_UNAUTHORIZED_CLIENT()
      if (page.revocations.length > 0) return page
    }
  } finally {
    waiting--
    leave()
    hints.close()
  }
}

/**
 * Waits for a hint of the log that there may be something new.
 */
class Hints implements TailListener {
  readonly #signal: AbortSignal
  readonly #wake = () => this.#resolve()
  #resolve: () => void = () => {}
  #hinted = false

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#wake)
  }

  heard(): void {
    this.#hinted = true
    this.#wake()
  }

  missed(): void {
    this.heard()
  }

  /**
   * Resolves as soon as there is a hint, or after so many milliseconds.
   */
  async wait(milliseconds: number): Promise<void> {
    if (!this.#hinted && !this.#signal.aborted) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
        timer = setTimeout(resolve, milliseconds)
      })
      clearTimeout(timer)
    }
    this.#hinted = false
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#wake)
  }
}
