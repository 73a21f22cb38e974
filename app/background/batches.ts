import { setTimeout as sleep } from 'node:timers/promises'

/**
 * How long one batch may hold its locks, in milliseconds: checks and sign-ins that need the same
 * rows (on SQLite: that write) wait no longer.
 */
const BATCH_TIME = 100

const SMALLEST = 20
const LARGEST = 1_000

/**
 * Watches and stops long work.
 */
export type Watch = {
  /** Called after every batch with how many were ended since the last call. */
  onProgress?: (ended: number) => void
  /** Stops the work behind the batch under way: what was ended stays ended. */
  signal?: AbortSignal
}

/**
 * Works through much in small transactions: `step` takes the next so many and says how many it
 * took. The size follows how long a batch takes, and after each one others have as much time as it
 * took. Returns whether all was done.
 */
export async function inBatches(
  step: (size: number) => Promise<{ taken: number; ended: number }>,
  watch: Watch = {}
): Promise<boolean> {
  let size = 100
  for (;;) {
    if (watch.signal?.aborted) return false
    const began = performance.now()
    const { taken, ended } = await step(size)
    const took = performance.now() - began
    if (ended > 0) watch.onProgress?.(ended)
    if (taken < size) return true
    size = nextSize(size, took)
    await sleep(took)
  }
}

function nextSize(size: number, took: number): number {
  const fitting = size * Math.min(BATCH_TIME / took, 2)
  return Math.round(Math.min(Math.max(fitting, SMALLEST), LARGEST))
}
