import { setTimeout as sleep } from 'node:timers/promises'

/**
 * How long one batch may hold its locks, in milliseconds: checks and sign-ins that need the same
 * rows (on SQLite: that write) wait no longer.
 */
const BATCH_TIME = 100

const FIRST = 100
const SMALLEST = 20
const LARGEST = 1_000

/**
 * Watches and stops long work.
 */
export type Watch = {
  /** Called after every batch with how many rows were done since the last call. */
  onProgress?: (done: number) => void
  /** Stops the work after the batch under way: what was done stays done. */
  signal?: AbortSignal
}

/**
 * Works through many rows in small statements or transactions: `step` takes up to `size` rows and
 * returns how many it took and how many of those it changed. The size follows how long a batch
 * takes, and after each one others have as much time as it took. Returns how many were changed, and
 * whether all rows were reached.
 */
export async function inBatches(
  step: (size: number) => Promise<{ taken: number; done: number }>,
  { onProgress, signal }: Watch = {}
): Promise<{ done: number; complete: boolean }> {
  let size = FIRST
  let total = 0
  while (!signal?.aborted) {
    const began = performance.now()
    const { taken, done } = await step(size)
    const took = performance.now() - began
    total += done
    if (done > 0) onProgress?.(done)
    if (taken < size) return { done: total, complete: true }
    size = nextSize(size, took)
    await sleep(took, undefined, { signal }).catch(() => {})
  }
  return { done: total, complete: false }
}

function nextSize(size: number, took: number): number {
  const fitting = size * Math.min(BATCH_TIME / took, 2)
  return Math.round(Math.min(Math.max(fitting, SMALLEST), LARGEST))
}
