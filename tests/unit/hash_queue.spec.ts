import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from '@japa/runner'
import { HashQueue } from '#app/passwords/hash_queue'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * Work that ends when the test says so, and what it began in which order.
 */
class Work {
  readonly begun: number[] = []
  readonly #ends = new Map<number, { resolve(): void; reject(error: Error): void }>()

  start(queue: HashQueue, id: number): Promise<number> {
    return queue.run(
      () =>
        new Promise((resolve, reject) => {
          this.begun.push(id)
          this.#ends.set(id, { resolve: () => resolve(id), reject })
        })
    )
  }

  async finish(id: number) {
    this.#ends.get(id)!.resolve()
    await nextTurn()
  }

  async fail(id: number, error: Error) {
    this.#ends.get(id)!.reject(error)
    await nextTurn()
  }
}

test.group('Hash queue', () => {
  test('no more run at once than the bound', async ({ assert }) => {
    const queue = new HashQueue(() => 100, 2)
    const work = new Work()
    const all = [1, 2, 3, 4].map((id) => work.start(queue, id))
    await nextTurn()
    assert.deepEqual(work.begun, [1, 2])
    assert.deepEqual([queue.running, queue.waiting], [2, 2])

    await work.finish(1)
    assert.deepEqual(work.begun, [1, 2, 3])
    assert.equal(queue.running, 2)
    for (const id of [2, 3, 4]) await work.finish(id)
    assert.deepEqual(await Promise.all(all), [1, 2, 3, 4])
    assert.deepEqual([queue.running, queue.waiting], [0, 0])
  })

  test('who came first is served first, also before one who comes as a place frees', async ({
    assert,
  }) => {
    const queue = new HashQueue(() => 100, 1)
    const work = new Work()
    for (const id of [1, 2]) void work.start(queue, id)
    const finished = work.finish(1)
    void work.start(queue, 3)
    await finished
    assert.deepEqual(work.begun, [1, 2])
    await work.finish(2)
    assert.deepEqual(work.begun, [1, 2, 3])
    await work.finish(3)
  })

  test('no more wait than the limit; the next are told when to come back', async ({ assert }) => {
    const queue = new HashQueue(() => 2, 1)
    const work = new Work()
    const served = [1, 2, 3].map((id) => work.start(queue, id))
    const refused = await work.start(queue, 4).catch((error) => error)
    assert.instanceOf(refused, E_UNAVAILABLE)
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['Retry-After'], '2')

    for (const id of [1, 2, 3]) await work.finish(id)
    assert.deepEqual(await Promise.all(served), [1, 2, 3])
    assert.deepEqual(work.begun, [1, 2, 3])
  })

  test('a hash that fails gives its place to the next', async ({ assert }) => {
    const queue = new HashQueue(() => 100, 1)
    const work = new Work()
    const failing = work.start(queue, 1).catch((error: Error) => error.message)
    const next = work.start(queue, 2)
    await work.fail(1, new Error('out of memory'))
    assert.equal(await failing, 'out of memory')
    assert.deepEqual(work.begun, [1, 2])
    await work.finish(2)
    assert.equal(await next, 2)
    assert.equal(queue.running, 0)
  })
})
