import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { RateLimitCounter } from '#app/rate_limits/counter'
import { countRows, emptyDatabase } from '#tests/harness/database'

const MINUTE = 60_000

test.group('Rate-limit counter', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.teardown(() => clock.restore())

  test('many at once are counted one after another', async ({ assert }) => {
    const counter = new RateLimitCounter()
    const entries = await Promise.all(
      Array.from({ length: 50 }, () => counter.take('a', 1, MINUTE))
    )
    assert.deepEqual(
      entries.map(({ points }) => points),
      Array.from({ length: 50 }, (_, index) => index + 1)
    )
    const after = await counter.take('a', 1, MINUTE)
    assert.equal(after.points, 51)
  })

  test('what is asked for at once goes in few statements', async ({ assert }) => {
    const counter = new RateLimitCounter()
    const { client } = db.connection().getWriteClient()
    const { acquireConnection } = client
    let turns = 0
    client.acquireConnection = () => {
      turns++
      return acquireConnection.call(client)
    }
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => counter.take(`key ${index % 7}`, 1, MINUTE))
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
    const counter = new RateLimitCounter()
    await counter.take('a', 3, MINUTE)
    const [back, taken] = await Promise.all([
      counter.giveBack('a', 2),
      counter.take('a', 1, MINUTE),
    ])
    assert.deepEqual([back.points, taken.points], [1, 2])
    const below = await counter.giveBack('a', 9)
    assert.equal(below.points, 0)
    const unknown = await counter.giveBack('nothing there', 1)
    assert.equal(unknown.points, 0)
    assert.equal(await countRows('rate_limits', { key: 'nothing there' }), 0)
  })

  test('a window that is over is forgotten', async ({ assert }) => {
    const counter = new RateLimitCounter()
    clock.freeze()
    await counter.take('a', 5, MINUTE)
    clock.advance(MINUTE)
    const late = await counter.giveBack('a', 1)
    assert.equal(late.points, 0)
    const fresh = await counter.take('a', 1, MINUTE)
    assert.deepEqual(fresh, { points: 1, expire: clock.millis() + MINUTE })
  })

  test('a window written under a clock that was set back does not last', async ({ assert }) => {
    const counter = new RateLimitCounter()
    clock.freeze()
    clock.advance(60 * MINUTE)
    await counter.take('a', 5, MINUTE)
    clock.advance(-60 * MINUTE)
    const fresh = await counter.take('a', 1, MINUTE)
    assert.deepEqual(fresh, { points: 1, expire: clock.millis() + MINUTE })
  })
})
