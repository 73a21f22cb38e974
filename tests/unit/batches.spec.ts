import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import { inBatches } from '#app/background/batches'

/**
 * Rows to work through, and the sizes of the batches they were asked for in.
 */
function rowsToDo(count: number, took = 0) {
  const sizes: number[] = []
  let left = count
  const step = async (size: number) => {
    sizes.push(size)
    if (took) await sleep(took)
    const taken = Math.min(size, left)
    left -= taken
    return { taken, done: taken }
  }
  return { step, sizes }
}

test.group('Batches', () => {
  test('all rows are done, quick batches grow, and each is told', async ({ assert }) => {
    const { step, sizes } = rowsToDo(1_250)
    const told: number[] = []
    const result = await inBatches(step, { onProgress: (done) => told.push(done) })
    assert.deepEqual(result, { done: 1_250, complete: true })
    assert.deepEqual(sizes, [100, 200, 400, 800])
    assert.deepEqual(told, [100, 200, 400, 550])
  })

  test('slow batches shrink, and others have as much time in between', async ({ assert }) => {
    const { step, sizes } = rowsToDo(130, 200)
    const began = performance.now()
    await inBatches(step)
    assert.equal(sizes[0], 100)
    assert.approximately(sizes[1], 50, 10)
    assert.isAbove(performance.now() - began, 550)
  })

  test('no batch begins once the signal is aborted, and a pause ends at once', async ({
    assert,
  }) => {
    const { step, sizes } = rowsToDo(10_000, 300)
    const stop = new AbortController()
    const work = inBatches(step, { signal: stop.signal })
    await sleep(350)
    const began = performance.now()
    stop.abort()
    assert.deepEqual(await work, { done: 100, complete: false })
    assert.isBelow(performance.now() - began, 150)
    assert.lengthOf(sizes, 1)

    const never = await inBatches(step, { signal: AbortSignal.abort() })
    assert.deepEqual(never, { done: 0, complete: false })
    assert.lengthOf(sizes, 1)
  })
})
