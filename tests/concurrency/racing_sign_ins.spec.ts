import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { setSessionLimit } from '#app/accounts/roles_and_limits'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn, type Answer } from '#tests/harness/http'
import { THOROUGH } from '#tests/harness/pace'
import { sharedServers, type TestServer } from '#tests/harness/server'
import { watchSessions } from '#tests/harness/watch_sessions'

/**
 * `LONG=1` races twenty rounds.
 */
const ROUNDS = process.env.LONG === '1' ? 20 : 1
const SIGN_INS = THOROUGH ? 100 : 30

test.group('Racing sign-ins', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await sharedServers({}, {})
  })
  group.each.setup(() => emptyDatabase())

  const serverOf = (index: number) => servers[index % servers.length].url

  async function race(limit: number) {
    const user = await makeUser()
    await setSessionLimit(user.id, limit, 'command:test')
    const stop = watchSessions(user.id)
    const answers = await Promise.all(
      Array.from({ length: SIGN_INS }, (_, index) => logIn(serverOf(index), user.email))
    )
    const seen = await stop()
    const checks = await Promise.all(
      answers.map((answer, index) =>
        call(serverOf(index + 1), 'GET', '/api/v1/account', { token: answer.body.data?.token })
      )
    )
    return { user, answers, checks, seen }
  }

  for (const limit of [1, 3]) {
    test(`many sign-ins through two servers leave ${limit}, and never more`, async ({ assert }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const { user, answers, checks, seen } = await race(limit)

        assert.deepEqual(statuses(answers), [200])
        assert.equal(seen.most, limit)
        assert.isAbove(seen.looks, 10)
        assert.lengthOf(
          checks.filter((check) => check.status === 200),
          limit
        )
        for (const check of checks.filter((one) => one.status !== 200)) {
          assert.equal(check.status, 401)
          assert.equal(check.body.errors[0].reason, 'superseded')
        }
        const live = await db.from('sessions').where('user_id', user.id).whereNull('ended_at')
        assert.lengthOf(live, limit)
        const newest = await db.from('sessions').where('user_id', user.id).max('seq as seq').first()
        assert.include(
          live.map((row) => Number(row.seq)),
          Number(newest.seq)
        )
        for (const server of servers) assert.notMatch(server.output(), /locked|SQLITE_BUSY/)
      }
    }).timeout(ROUNDS * 60_000)
  }

  test('racing sign-ins of one device leave one session of it', async ({ assert }) => {
    const user = await makeUser()
    await setSessionLimit(user.id, 0, 'command:test')
    const stop = watchSessions(user.id)
    const answers = await Promise.all(
      Array.from({ length: SIGN_INS }, (_, index) =>
        logIn(serverOf(index), user.email, { device: { id: 'phone' } })
      )
    )
    const { most } = await stop()
    assert.deepEqual(statuses(answers), [200])
    assert.equal(most, 1)
  }).timeout(60_000)
})

function statuses(answers: Answer[]): number[] {
  return [...new Set(answers.map((answer) => answer.status))]
}
