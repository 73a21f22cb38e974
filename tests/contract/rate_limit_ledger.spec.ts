import { test } from '@japa/runner'
import limiter from '@adonisjs/limiter/services/main'
import { errors } from '@adonisjs/limiter'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { RateLimitCounter, removeOldWindows } from '#app/rate_limits/counter'
import { countRows, emptyDatabase } from '#tests/harness/database'

const MINUTE = 60_000

test.group('RateLimitCounter of the rate limits', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.teardown(() => clock.restore())

  test('many at once are counted one after another', async ({ assert }) => {
    const ledger = new RateLimitCounter()
    const entries = await Promise.all(Array.from({ length: 50 }, () => ledger.take('a', 1, MINUTE)))
    assert.deepEqual(
      entries.map(({ points }) => points),
      Array.from({ length: 50 }, (_, index) => index + 1)
    )
    const after = await ledger.take('a', 1, MINUTE)
    assert.equal(after.points, 51)
  })

  test('what is asked for at once goes in few statements', async ({ assert }) => {
    const ledger = new RateLimitCounter()
    const { client } = db.connection().getWriteClient()
    const { acquireConnection } = client
    let turns = 0
    client.acquireConnection = () => {
      turns++
      return acquireConnection.call(client)
    }
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => ledger.take(`key ${index % 7}`, 1, MINUTE))
    )
    client.acquireConnection = acquireConnection
    assert.oneOf(turns, [1, 2])
    assert.equal(await countRows('rate_limits'), 7)
  })

  test('two nodes count together', async ({ assert }) => {
    const [one, other] = [new RateLimitCounter(), new RateLimitCounter()]
    const entries = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 ? one : other).take(`${index % 4 < 2 ? 'a' : 'b'}`, 1, MINUTE)
      )
    )
    assert.equal(Math.max(...entries.map(({ points }) => points)), 20)
  })

  test('units come back before others are taken, and never below zero', async ({ assert }) => {
    const ledger = new RateLimitCounter()
    await ledger.take('a', 3, MINUTE)
    const [back, taken] = await Promise.all([ledger.giveBack('a', 2), ledger.take('a', 1, MINUTE)])
    assert.deepEqual([back.points, taken.points], [1, 2])
    const below = await ledger.giveBack('a', 9)
    assert.equal(below.points, 0)
    const unknown = await ledger.giveBack('nothing there', 1)
    assert.equal(unknown.points, 0)
    assert.equal(await countRows('rate_limits', { key: 'nothing there' }), 0)
  })

  test('a window that is over is forgotten', async ({ assert }) => {
    const ledger = new RateLimitCounter()
    clock.freeze()
    await ledger.take('a', 5, MINUTE)
    clock.advance(MINUTE)
    assert.isNull(await ledger.read('a'))
    const fresh = await ledger.take('a', 1, MINUTE)
    assert.deepEqual(fresh, { points: 1, expire: clock.millis() + MINUTE })
  })

  test('a window written under a clock that was set back does not last', async ({ assert }) => {
    const ledger = new RateLimitCounter()
    clock.freeze()
    clock.advance(60 * MINUTE)
    await ledger.take('a', 5, MINUTE)
    clock.advance(-60 * MINUTE)
    const fresh = await ledger.take('a', 1, MINUTE)
    assert.deepEqual(fresh, { points: 1, expire: clock.millis() + MINUTE })
  })

  test('old windows are removed, running ones stay', async ({ assert }) => {
    const ledger = new RateLimitCounter()
    clock.freeze()
    await ledger.take('old', 1, MINUTE)
    clock.advance(MINUTE)
    await ledger.take('running', 1, MINUTE)
    assert.equal(await removeOldWindows(), 1)
    assert.equal(await countRows('rate_limits'), 1)
  })

  test('it is a store of the limiter', async ({ assert }) => {
    const three = limiter.use({ requests: 3, duration: '1 minute' })
    for (const remaining of [2, 1, 0]) {
      const response = await three.consume('key')
      assert.equal(response.remaining, remaining)
    }
    await assert.rejects(() => three.consume('key'), errors.E_TOO_MANY_REQUESTS as never)
    await three.decrement('key', 2)
    assert.equal(await three.remaining('key'), 1)
    await three.block('key', '1 minute')
    assert.isTrue(await three.isBlocked('key'))
    assert.isTrue(await three.delete('key'))
    assert.isNull(await three.get('key'))
  })
})
