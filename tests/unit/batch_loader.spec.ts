import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from '@japa/runner'
import { BatchLoader } from '#app/database/batch_loader'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * A database whose statements end when the test says so. What a statement reads is what stood
 * there when it began.
 */
class SlowDatabase {
  readonly values = new Map<string, string>()
  readonly statements: { keys: string[]; finish(): void; fail(error: Error): void }[] = []

  readMany = (keys: string[]) => {
    const snapshot = new Map(this.values)
    return new Promise<Map<string, string>>((resolve, reject) => {
      this.statements.push({ keys, finish: () => resolve(snapshot), fail: reject })
    })
  }
}

/**
 * Follows a read without waiting for it.
 */
function follow<Value>(read: Promise<Value>) {
  const state: { settled: boolean; value?: Value; error?: unknown } = { settled: false }
  read.then(
    (value) => Object.assign(state, { settled: true, value }),
    (error) => Object.assign(state, { settled: true, error })
  )
  return state
}

test.group('BatchLoader', () => {
  test('a read is never answered from a statement that began before it arrived', async ({
    assert,
  }) => {
    const database = new SlowDatabase()
    const loader = new BatchLoader(database.readMany)
    database.values.set('token', 'alive')
    const early = follow(loader.read('token'))
    await nextTurn()
    assert.lengthOf(database.statements, 1)

    database.values.set('token', 'ended')
    const late = follow(loader.read('token'))
    database.statements[0].finish()
    await nextTurn()
    assert.deepEqual(early, { settled: true, value: 'alive' })
    assert.isFalse(late.settled)

    await nextTurn()
    assert.lengthOf(database.statements, 2)
    database.statements[1].finish()
    await nextTurn()
    assert.deepEqual(late, { settled: true, value: 'ended' })
  })

  test('a lone read waits for nobody', async ({ assert }) => {
    const database = new SlowDatabase()
    const loader = new BatchLoader(database.readMany)
    for (const turn of [1, 2]) {
      const read = follow(loader.read('token'))
      await nextTurn()
      assert.lengthOf(database.statements, turn)
      database.statements[turn - 1].finish()
      await nextTurn()
      assert.isTrue(read.settled)
    }
  })

  test('reads that arrive while a statement is under way go together in the next', async ({
    assert,
  }) => {
    const database = new SlowDatabase()
    const loader = new BatchLoader(database.readMany)
    void loader.read('first')
    await nextTurn()
    for (const key of ['a', 'b', 'a', 'c']) void loader.read(key)
    await nextTurn()
    assert.lengthOf(database.statements, 1)
    database.statements[0].finish()
    await nextTurn()
    await nextTurn()
    assert.deepEqual(
      database.statements.map((statement) => statement.keys),
      [['first'], ['a', 'b', 'c']]
    )
  })

  test('where several statements may be under way, each read goes in the first that begins after it', async ({
    assert,
  }) => {
    const database = new SlowDatabase()
    const loader = new BatchLoader(database.readMany, { statements: 2 })
    database.values.set('token', 'alive')
    const early = follow(loader.read('token'))
    await nextTurn()
    database.values.set('token', 'ended')
    const late = follow(loader.read('token'))
    await nextTurn()
    assert.lengthOf(database.statements, 2)
    const waiting = [follow(loader.read('token')), follow(loader.read('other'))]
    await nextTurn()
    assert.lengthOf(database.statements, 2, 'no more at once than may be')

    database.values.set('token', 'gone')
    database.statements[1].finish()
    await nextTurn()
    assert.deepEqual(late, { settled: true, value: 'ended' })
    assert.isFalse(early.settled)
    await nextTurn()
    assert.deepEqual(database.statements[2].keys, ['token', 'other'])
    database.statements[0].finish()
    database.statements[2].finish()
    await nextTurn()
    assert.deepEqual(early, { settled: true, value: 'alive' })
    assert.deepEqual(waiting[0], { settled: true, value: 'gone' })
  })

  test('every read gets what stands behind its own key', async ({ assert }) => {
    const loader = new BatchLoader(
      async (keys) =>
        new Map(keys.filter((key) => key !== 'none').map((key) => [key, `value of ${key}`]))
    )
    const values = await Promise.all(['a', 'none', 'b', 'a'].map((key) => loader.read(key)))
    assert.deepEqual(values, ['value of a', undefined, 'value of b', 'value of a'])
  })

  test('a failed statement fails the reads that went with it and no others', async ({ assert }) => {
    const database = new SlowDatabase()
    const loader = new BatchLoader(database.readMany)
    database.values.set('b', 'alive')
    const failing = [follow(loader.read('a')), follow(loader.read('b'))]
    await nextTurn()
    const waiting = follow(loader.read('b'))

    const fault = new Error('Connection terminated unexpectedly')
    database.statements[0].fail(fault)
    await nextTurn()
    assert.deepEqual(
      failing.map((read) => read.error),
      [fault, fault]
    )
    assert.isFalse(waiting.settled)

    await nextTurn()
    database.statements[1].finish()
    await nextTurn()
    assert.deepEqual(waiting, { settled: true, value: 'alive' })
  })

  test('a statement that throws before it begins fails its reads alone too', async ({ assert }) => {
    let broken = true
    const loader = new BatchLoader<string>(() => {
      if (broken) throw new Error('no connection')
      return Promise.resolve(new Map([['a', 'alive']]))
    })
    await assert.rejects(() => loader.read('a'), 'no connection')
    broken = false
    assert.equal(await loader.read('a'), 'alive')
  })

  test('no more than the limit wait; the next are told to come back', async ({ assert }) => {
    const database = new SlowDatabase()
    const loader = new BatchLoader(database.readMany, { waiting: 2, keys: 10 })
    const under = follow(loader.read('under way'))
    await nextTurn()
    const waiting = [follow(loader.read('a')), follow(loader.read('a'))]
    const refused = follow(loader.read('b'))
    await nextTurn()
    assert.equal(loader.waiting, 2)
    assert.instanceOf(refused.error, E_UNAVAILABLE)

    database.statements[0].finish()
    await nextTurn()
    await nextTurn()
    assert.isTrue(under.settled)
    assert.equal(loader.waiting, 0)
    const welcome = follow(loader.read('b'))
    database.statements[1].finish()
    await nextTurn()
    await nextTurn()
    database.statements[2].finish()
    await nextTurn()
    assert.isTrue([...waiting, welcome].every((read) => read.settled && !read.error))
  })

  test('more keys than fit one statement go in the ones after, and all are answered', async ({
    assert,
  }) => {
    const sizes: number[] = []
    const loader = new BatchLoader(
      async (keys) => {
        sizes.push(keys.length)
        return new Map(keys.map((key) => [key, key.toUpperCase()]))
      },
      { waiting: 10_000, keys: 100 }
    )
    const keys = Array.from({ length: 1_050 }, (_, index) => `key ${index % 350}`)
    const values = await Promise.all(keys.map((key) => loader.read(key)))
    assert.deepEqual(
      values,
      keys.map((key) => key.toUpperCase())
    )
    assert.deepEqual(sizes, [100, 100, 100, 50])
  })
})
