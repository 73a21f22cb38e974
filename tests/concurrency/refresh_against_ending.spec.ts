import { test } from '@japa/runner'
import { changePassword } from '#app/accounts/change_password'
import User from '#models/user'
import { forceLogout } from '#app/force_logout/force_logout'
import { logOut } from '#app/sessions/log_out'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { THOROUGH } from '#tests/harness/pace'
import { sharedServers, type TestServer } from '#tests/harness/server'

const ROUNDS = process.env.LONG ? 200 : THOROUGH ? 8 : 4

test.group('A refresh against the end of its session', (group) => {
  let server: TestServer

  group.setup(async () => {
    ;[server] = await sharedServers({}, {})
  })
  group.each.setup(() => emptyDatabase())

  /**
   * Refreshes through another process while `end` ends the session in this one. The refresh gets
   * a head start that grows when it loses and shrinks when it wins, so that the two stay close.
   * Whatever the order: no token of the session lives afterwards.
   */
  async function race(assert: any, end: (user: User, opened: any) => Promise<unknown>) {
    const user = await makeUser()
    const won = { refresh: 0, end: 0 }
    let headStart = 60
    for (let round = 0; round < ROUNDS; round++) {
      const opened = await signIn(await User.findOrFail(user.id))
      const refreshing = call(server.url, 'POST', '/api/v1/auth/refresh', {
        body: { refreshToken: opened.tokens.refreshToken },
      })
      for (let tick = 0; tick < headStart; tick++) await new Promise(setImmediate)
      const [answer] = await Promise.all([refreshing, end(user, opened)])
      assert.include([200, 401], answer.status)
      if (answer.status === 200) {
        won.refresh++
        headStart = Math.floor(headStart * 0.7)
      } else {
        won.end++
        headStart = Math.min(Math.ceil(headStart * 1.4) + 1, 2_000)
      }
      assert.equal(await countRows('api_tokens', { session_id: opened.session.id }), 0)
      for (const token of [opened.tokens.token, answer.body.data?.token]) {
        if (!token) continue
        const check = await call(server.url, 'GET', '/api/v1/account', { token })
        assert.equal(check.status, 401)
        assert.equal(check.body.errors[0].code, 'E_SESSION_ENDED')
      }
    }
    if (ROUNDS >= 200) {
      assert.isAbove(won.refresh, 0)
      assert.isAbove(won.end, 0)
    }
  }

  test('logout', ({ assert }) =>
    race(assert, (_, { session }) => logOut(session, 'current'))).timeout(300_000)

  test('force logout', ({ assert }) =>
    race(assert, (user) => forceLogout({ who: [user], actor: 'command:test' }))).timeout(300_000)

  test('eviction', ({ assert }) =>
    race(assert, async (user) => signIn(await User.findOrFail(user.id)))).timeout(300_000)

  test('password change on another device', async ({ assert }) => {
    await race(assert, async (user) => {
      const other = await User.findOrFail(user.id)
      const opened = await signIn(other)
      await changePassword(opened.session, { currentPassword: PASSWORD, password: PASSWORD })
    })
  }).timeout(300_000)
})
