import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { ownPostgres } from '#tests/harness/environment'
import { call, logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'

const DOWN_FOR = process.env.LONG ? 10_000 : 1_500

type Seen = { at: number; status: number; code?: string; took: number; retryAfter: string | null }

test.group('PostgreSQL goes away and comes back', (group) => {
  group.tap((one) => {
    one.skip(!process.env.DB_CONNECTION?.includes('postgres'), 'is about PostgreSQL')
    one.skip(!ownPostgres(), 'needs a PostgreSQL of its own')
  })
  group.each.setup(() => emptyDatabase())

  test('meanwhile there are only 503s, and afterwards full speed, by itself', async ({
    assert,
  }) => {
    const server = await startServer()
    const tokens = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const user = await makeUser()
        const answer = await logIn(server.url, user.email)
        return answer.body.data.token as string
      })
    )
    const seen: Seen[] = []
    let going = true
    const load = tokens.map(async (token) => {
      while (going) {
        const at = performance.now()
        const answer = await call(server.url, 'GET', '/api/v1/account', { token })
        seen.push({
          at,
          status: answer.status,
          code: answer.body.errors?.[0].code,
          took: performance.now() - at,
          retryAfter: answer.headers.get('retry-after'),
        })
        if (answer.status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })
    const pause = (milliseconds: number) =>
      new Promise((resolve) => setTimeout(resolve, milliseconds))

    await pause(1000)
    const stopped = performance.now()
    await ownPostgres()!.restart(DOWN_FOR)
    const back = performance.now()
    await pause(3000)
    going = false
    await Promise.all(load)

    const refused = seen.filter(({ status }) => status !== 200)
    assert.isAbove(refused.length, 10)
    assert.deepEqual(
      [...new Set(refused.map(({ status, code }) => `${status} ${code}`))],
      ['503 E_UNAVAILABLE']
    )
    for (const { retryAfter } of refused) assert.match(retryAfter!, /^\d+$/)
    const stale = seen.filter(
      ({ at, status }) => at > stopped + 500 && at < stopped + DOWN_FOR && status === 200
    )
    assert.lengthOf(stale, 0)

    const rate = (from: number, to: number) =>
      seen.filter(({ at, status }) => at >= from && at < to && status === 200).length / (to - from)
    const before = rate(stopped - 900, stopped - 100)
    const after = rate(back + 2000, back + 2900)
    assert.isAbove(after, before * 0.5)
    assert.lengthOf(
      seen.filter(({ at, status }) => at > back + 2000 && status !== 200),
      0
    )
    await server.stop()
  }).timeout(60_000)
})
