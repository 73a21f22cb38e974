import app from '@adonisjs/core/services/app'
import logger from '@adonisjs/core/services/logger'
import { loggableError } from '#exceptions/loggable_error'
import { backfillWatermarks } from '#app/watermarks/backfill'

let running: Promise<void> | undefined
let again = false
const stopping = new AbortController()

/**
 * Writes what watermarks have left, behind whatever this process serves, until all is done or the
 * application ends. What it leaves then, another process or the next start takes up.
 */
export function backfillInBackground(): void {
  again = true
  running ??= work().finally(() => (running = undefined))
}

/**
 * Resolves when no such work is under way.
 */
export async function backfilledInBackground(): Promise<void> {
  await running
}

app.terminating(async () => {
  stopping.abort()
  await running
})

async function work() {
  while (again && !stopping.signal.aborted) {
    again = false
    try {
      await backfillWatermarks({ signal: stopping.signal })
    } catch (error) {
      logger.warn(
        { err: loggableError(error) },
        'The ends behind a watermark could not all be written'
      )
    }
  }
}
