import { test } from '@japa/runner'
import { cutBackends, namedConnections } from '#tests/harness/backends'
import { emptyDatabase } from '#tests/harness/database'
import { ownPostgres } from '#tests/harness/environment'
import { startServer, type TestServer } from '#tests/harness/server'
import { Load, pass } from './load.js'
import { within } from '#tests/harness/pace'

/**
 * `LONG=1` stops PostgreSQL for ten seconds and holds the speed afterwards against the one before,
 * which takes a machine that does nothing else.
 */
const isLong = process.env.LONG === '1'
const DOWN_FOR = isLong ? 10_000 : 1_500

/**
 * The longest that the event loop of a server stood still since the last time this was asked, in
 * milliseconds.
 */
async function longestStall(server: TestServer): Promise<number> {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { authorization: 'Bearer metrics-token-of-the-tests' },
  })
  const [, seconds] = /^latchkey_nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(
    await response.text()
  )!
  return Number(seconds) * 1_000
}

const DEVICES = { checking: 8, refreshing: 2, signingIn: 1 }

test.group('PostgreSQL goes away and comes back', (group) => {
  let server: TestServer

  group.tap((one) => {
    one.skip(process.env.DB_CONNECTION !== 'postgres', 'is about PostgreSQL')
    one.skip(!ownPostgres(), 'needs a PostgreSQL of its own')
  })
  group.setup(async () => {
    server = await startServer({ env: namedConnections() })
    return () => server.stop()
  })
  group.each.setup(() => emptyDatabase())

  for (const crash of [false, true]) {
    test(`${crash ? 'after a crash' : 'after a stop'} there are only 503s, then full speed`, async ({
      assert,
    }) => {
      const load = new Load(server.url)
      await load.start(DEVICES)
      await pass(1_000)
      await longestStall(server)
      const stopped = performance.now()
      await ownPostgres()!.restart(DOWN_FOR, { crash })
      const back = performance.now()
      await pass(3_000)
      await load.stop()
      const stall = await longestStall(server)

      assert.deepEqual(load.refusals(), ['503 E_UNAVAILABLE'])
      const refused = load.seen.filter(({ status }) => status === 503)
      assert.isAbove(refused.length, 20)
      for (const { retryAfter } of refused) assert.match(retryAfter!, /^\d+$/)
      assert.isBelow(Math.max(...refused.map(({ took }) => took)), within(2_000))

      const stale = load
        .during(stopped + 500, stopped + DOWN_FOR)
        .filter(({ at, took, status }) => status === 200 && at + took < stopped + DOWN_FOR)
      assert.lengthOf(stale, 0)

      const recovered = load.during(back + 2_000)
      assert.isAbove(recovered.length, 20)
      assert.deepEqual([...new Set(recovered.map(({ what }) => what))], ['200'])
      const rates = {
        before: load.rate(stopped - 900, stopped - 100),
        after: load.rate(back + 2_000, back + 2_900),
      }
      if (!isLong) return
      console.log({ ...rates, stall, refused: refused.length })
      assert.isAbove(rates.after, rates.before * 0.7)
      assert.isBelow(stall, 100)
    }).timeout(60_000)
  }

  test('connections that the database cuts cost a request at most', async ({ assert }) => {
    const load = new Load(server.url)
    await load.start(DEVICES)
    let cut = 0
    for (let round = 0; round < 10; round++) {
      await pass(100)
      cut += await cutBackends()
    }
    const mended = performance.now()
    await pass(500)
    await load.stop()

    assert.isAbove(cut, 10)
    for (const refusal of load.refusals()) assert.equal(refusal, '503 E_UNAVAILABLE')
    const later = load.during(mended + 200)
    assert.isAbove(later.length, 10)
    assert.deepEqual([...new Set(later.map(({ what }) => what))], ['200'])
  }).timeout(30_000)
})
