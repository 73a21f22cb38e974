import app from '@adonisjs/core/services/app'
import { eventTail, type TailListener } from '#app/event_log/tail/tail'
import { E_UNAUTHORIZED_CLIENT } from '#exceptions/errors'
import { readRevocations, type RevocationPage } from '#app/event_log/revocations/read_revocations'
import type { EventCursor } from '#app/event_log/read'

/**
 * Milliseconds until the log is read again without a hint, and after a hint that found nothing yet:
 * on PostgreSQL what has committed can be read in its order once older transactions are through.
 */
const LOOK_AGAIN = { longest: 1_000, afterHint: 10 }

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
 * after: `E_UNAUTHORIZED_CLIENT`, at the latest with the next look.
 */
export async function awaitRevocations(
  query: { after: EventCursor; limit: number; waitMs: number; mayWait: () => Promise<boolean> },
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
    let pause = 0
    for (;;) {
      const left = deadline - performance.now()
      if (left <= 0 || signal.aborted) return page
      const hinted = await hints.wait(Math.min(pause, left))
      pause = hinted ? LOOK_AGAIN.afterHint : nextPause(pause)
      page = await readRevocations(page.cursor, query.limit)
      if (!(await query.mayWait())) throw new E_UNAUTHORIZED_CLIENT()
      if (page.revocations.length > 0) return page
    }
  } finally {
    waiting--
    leave()
    hints.close()
  }
}

function nextPause(pause: number): number {
  return pause === 0 ? LOOK_AGAIN.longest : Math.min(pause * 2, LOOK_AGAIN.longest)
}

/**
 * Waits for a hint of the log that there may be something new.
 */
class Hints implements TailListener {
  readonly #signal: AbortSignal
  readonly #wake = () => this.#resolve(true)
  #resolve: (hinted: boolean) => void = () => {}
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
   * Resolves with true as soon as there is a hint, with false after so many milliseconds.
   */
  async wait(milliseconds: number): Promise<boolean> {
    if (this.#hinted || this.#signal.aborted) return this.#take()
    let timer: NodeJS.Timeout | undefined
    await new Promise<boolean>((resolve) => {
      this.#resolve = resolve
      timer = setTimeout(() => resolve(false), milliseconds)
    })
    clearTimeout(timer)
    return this.#take()
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#wake)
  }

  #take(): boolean {
    const hinted = this.#hinted
    this.#hinted = false
    return hinted
  }
}
