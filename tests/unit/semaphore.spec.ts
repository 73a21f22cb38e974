import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Semaphore, type Caller } from '#app/background/semaphore'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * Work that ends when the test says so, and what it began in which order.
 */
class Work {
  readonly begun: string[] = []
  readonly refused: string[] = []
  readonly #ends = new Map<string, { resolve(): void; reject(error: Error): void }>()

  start(semaphore: Semaphore, id: string, caller?: Caller): Promise<string> {
    const done = semaphore.run(
      () =>
        new Promise<string>((resolve, reject) => {
          this.begun.push(id)
          this.#ends.set(id, { resolve: () => resolve(id), reject })
        }),
      caller
    )
    done.catch(() => this.refused.push(id))
    return done
  }

  async finish(id: string) {
    this.#ends.get(id)!.resolve()
    await nextTurn()
  }

  async fail(id: string, error: Error) {
    this.#ends.get(id)!.reject(error)
    await nextTurn()
  }

  /**
   * Ends what runs, one after another, until nothing is left.
   */
  async finishAll(semaphore: Semaphore) {
    for (let next = 0; semaphore.running > 0; next++) await this.finish(this.begun[next])
  }
}

/**
 * `a1` is the first piece of work of account `a` in `network`.
 */
function startMany(work: Work, semaphore: Semaphore, network: string, ids: string[]) {
  for (const id of ids) void work.start(semaphore, id, { network, account: id[0] }).catch(() => {})
}

test.group('Semaphore', () => {
  test('no more run at once than the bound', async ({ assert }) => {
    const semaphore = new Semaphore({ total: 2 }, () => 100)
    const work = new Work()
    const all = ['1', '2', '3', '4'].map((id) => work.start(semaphore, id))
    await nextTurn()
    assert.deepEqual(work.begun, ['1', '2'])
    assert.deepEqual([semaphore.running, semaphore.waiting], [2, 2])

    await work.finish('1')
    assert.deepEqual(work.begun, ['1', '2', '3'])
    assert.equal(semaphore.running, 2)
    for (const id of ['2', '3', '4']) await work.finish(id)
    assert.deepEqual(await Promise.all(all), ['1', '2', '3', '4'])
    assert.deepEqual([semaphore.running, semaphore.waiting], [0, 0])
  })

  test('of one caller who came first is served first, also before one who comes as a place frees', async ({
    assert,
  }) => {
    const semaphore = new Semaphore({ total: 1 }, () => 100)
    const work = new Work()
    for (const id of ['1', '2']) void work.start(semaphore, id)
    await nextTurn()
    const finished = work.finish('1')
    void work.start(semaphore, '3')
    await finished
    assert.deepEqual(work.begun, ['1', '2'])
    await work.finish('2')
    assert.deepEqual(work.begun, ['1', '2', '3'])
    await work.finish('3')
  })

  test('no more wait than the limit; the next are told when to come back', async ({ assert }) => {
    const semaphore = new Semaphore({ total: 1 }, () => 2)
    const work = new Work()
    const served = ['1', '2', '3'].map((id) => work.start(semaphore, id))
    assert.isTrue(semaphore.isFull)
    const refused = await work.start(semaphore, '4').catch((error) => error)
    assert.instanceOf(refused, E_UNAVAILABLE)
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['Retry-After'], '2')

    for (const id of ['1', '2', '3']) await work.finish(id)
    assert.deepEqual(await Promise.all(served), ['1', '2', '3'])
    assert.deepEqual(work.begun, ['1', '2', '3'])
  })

  test('work that fails gives its place to the next', async ({ assert }) => {
    const semaphore = new Semaphore({ total: 1 }, () => 100)
    const work = new Work()
    const failing = work.start(semaphore, '1').catch((error: Error) => error.message)
    const next = work.start(semaphore, '2')
    await nextTurn()
    await work.fail('1', new Error('out of memory'))
    assert.equal(await failing, 'out of memory')
    assert.deepEqual(work.begun, ['1', '2'])
    await work.finish('2')
    assert.equal(await next, '2')
    assert.equal(semaphore.running, 0)
  })

  test('networks take turns, and in a network its accounts', async ({ assert }) => {
    const semaphore = new Semaphore({ total: 1 }, () => 100)
    const work = new Work()
    startMany(work, semaphore, 'flood', ['a1', 'a2', 'a3', 'a4', 'b1', 'b2'])
    startMany(work, semaphore, 'home', ['c1', 'c2'])
    startMany(work, semaphore, 'cafe', ['d1'])
    await nextTurn()
    await work.finishAll(semaphore)
    assert.deepEqual(work.begun, ['a1', 'a2', 'c1', 'd1', 'b1', 'c2', 'a3', 'b2', 'a4'])
  })

  test('when too many wait, the newest of the account with most, in the network with most, goes', async ({
    assert,
  }) => {
    const semaphore = new Semaphore({ total: 1 }, () => 6)
    const work = new Work()
    startMany(work, semaphore, 'flood', ['a0', 'a1', 'a2', 'a3', 'b1', 'b2'])
    startMany(work, semaphore, 'home', ['c1', 'c2'])
    await nextTurn()
    assert.deepEqual(work.refused, ['a3'])
    startMany(work, semaphore, 'cafe', ['d1'])
    await nextTurn()
    assert.deepEqual(work.refused, ['a3', 'a2'])
    startMany(work, semaphore, 'flood', ['b3', 'e1'])
    await nextTurn()
    assert.deepEqual(work.refused, ['a3', 'a2', 'b3', 'b2'])
    assert.equal(semaphore.waiting, 6)

    await work.finishAll(semaphore)
    assert.sameMembers(work.begun, ['a0', 'a1', 'b1', 'e1', 'c1', 'c2', 'd1'])
    assert.deepEqual([semaphore.running, semaphore.waiting], [0, 0])
  })

  test('among equals the newcomer goes, not who waits already', async ({ assert }) => {
    const semaphore = new Semaphore({ total: 1 }, () => 2)
    const work = new Work()
    for (const id of ['a', 'b', 'c', 'd']) startMany(work, semaphore, `of ${id}`, [id])
    await nextTurn()
    assert.deepEqual(work.refused, ['d'])
    await work.finishAll(semaphore)
    assert.deepEqual(work.begun, ['a', 'b', 'c'])
  })

  test('a flood from one network costs the others nothing, whatever it says of accounts', async ({
    assert,
  }) => {
    const semaphore = new Semaphore({ total: 1 }, () => 20)
    const work = new Work()
    for (let round = 0; round < 40; round++) {
      for (const name of ['x', `y${round}`, `z${round}`]) {
        const attack = work.start(semaphore, `${name} ${round}`, { network: 'bad', account: name })
        attack.catch(() => {})
      }
      if (round % 10 === 5) startMany(work, semaphore, `home ${round}`, [`h${round}`])
      await nextTurn()
      await work.finish(work.begun.at(-1)!)
    }
    assert.deepEqual(
      work.refused.filter((id) => id.startsWith('h')),
      []
    )
    for (const round of [5, 15, 25, 35]) {
      assert.isAtMost(work.begun.indexOf(`h${round}`), round + 2)
    }
    assert.isAbove(work.refused.length, 40)
  })

  test('each network and each account has a bound of its own', async ({ assert }) => {
    const semaphore = new Semaphore({ perNetwork: 3, perAccount: 2 }, () => 100)
    const work = new Work()
    startMany(work, semaphore, 'office', ['a1', 'a2', 'a3', 'b1', 'c1'])
    startMany(work, semaphore, 'home', ['a4', 'a5', 'a6'])
    await nextTurn()
    assert.deepEqual(work.begun, ['a1', 'a2', 'b1', 'a4', 'a5'])

    await work.finish('b1')
    assert.deepEqual(work.begun.slice(5), ['c1'])
    await work.finish('a1')
    assert.deepEqual(work.begun.slice(6), ['a3'])
    await work.finish('a4')
    assert.deepEqual(work.begun.slice(7), ['a6'])
    for (const id of ['a2', 'a3', 'c1', 'a5', 'a6']) await work.finish(id)
    assert.deepEqual([semaphore.running, semaphore.waiting], [0, 0])
  })
})
