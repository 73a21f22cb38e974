import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { THOROUGH } from '#tests/harness/pace'
import { sharedServers, type TestServer } from '#tests/harness/server'

const ROUNDS = THOROUGH ? 20 : 6

test.group('Racing refreshes', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await sharedServers({}, {})
  })
  group.each.setup(() => emptyDatabase())

  test('50 of one token through two servers get one successor and end nothing', async ({
    assert,
  }) => {
    const user = await makeUser()
    const login = await logIn(servers[0].url, user.email)
    let { refreshToken } = login.body.data
    for (let generation = 0; generation < 3; generation++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          call(servers[index % 2].url, 'POST', '/api/v1/auth/refresh', { body: { refreshToken } })
        )
      )
      assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
      const successors = new Set(
        answers.map(({ body }) => `${body.data.token} ${body.data.refreshToken}`)
      )
      assert.lengthOf([...successors], 1)
      refreshToken = answers[0].body.data.refreshToken
    }
    const rows = await db.from('api_tokens').orderBy('type')
    assert.deepEqual(
      rows.map((row) => row.type),
      ['access', 'refresh']
    )
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
    assert.equal(await countRows('session_events', { type: 'session.ended' }), 0)
  }).timeout(60_000)

  test('a late retry on one server races the first use on the other: one of them has its way', async ({
    assert,
  }) => {
    const refresh = (server: TestServer, refreshToken: string) =>
      call(server.url, 'POST', '/api/v1/auth/refresh', { body: { refreshToken } })
    const check = (server: TestServer, token: string) =>
      call(server.url, 'GET', '/api/v1/account', { token })
    for (let round = 0; round < ROUNDS; round++) {
      const user = await makeUser()
      const login = await logIn(servers[0].url, user.email)
      const spent = login.body.data.refreshToken
      const first = await refresh(servers[0], spent)
      const minuteAgo = new Date(Date.now() - 60_000)
      await db
        .from('ended_tokens')
        .whereNotNull('first_used_at')
        .update({ ended_at: minuteAgo, answered_at: minuteAgo })

      const [used, retried] = await Promise.all([
        check(servers[0], first.body.data.token),
        refresh(servers[1], spent),
      ])
      assert.equal(retried.status, 200)
      const isSame = retried.body.data.token === first.body.data.token
      assert.equal(used.status, isSame ? 200 : 401)
      if (!isSame) assert.equal(used.body.errors[0].code, 'E_TOKEN_EXPIRED')
      const after = await check(servers[0], retried.body.data.token)
      assert.equal(after.status, 200)
      assert.equal(await countRows('sessions', { user_id: user.id, ended_at: null }), 1)
    }
  }).timeout(60_000)
})
