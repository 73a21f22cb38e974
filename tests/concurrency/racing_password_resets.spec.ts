import { test } from '@japa/runner'
import { mintLink } from '#app/accounts/mailed_links'
import { tokenOfLink } from '#mails/link'
import { withUserLock } from '#app/sessions/user_lock'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { THOROUGH } from '#tests/harness/pace'
import { sharedServers, type TestServer } from '#tests/harness/server'

const ROUNDS = THOROUGH ? 5 : 2

test.group('Racing password resets', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await sharedServers({}, {})
  })
  group.each.setup(() => emptyDatabase())

  const post = (index: number, path: string, body: object) =>
    call(servers[index % 2].url, 'POST', `/api/v1/auth/${path}`, { body })

  test('of two uses of one link at once, one sets its password', async ({ assert }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const user = await makeUser()
      const token = await withUserLock(user.id, (trx) =>
        mintLink(trx, user, 'reset').then((made) => tokenOfLink(made!))
      )
      const passwords = ['the first new password', 'the second new password']
      const answers = await Promise.all(
        passwords.map((password, index) => post(index, 'password/reset', { token, password }))
      )
      assert.sameMembers(
        answers.map((answer) => answer.status),
        [204, 422]
      )
      for (const [index, password] of passwords.entries()) {
        const signedIn = await logIn(servers[0].url, user.email, { password })
        assert.equal(signedIn.status, answers[index].status === 204 ? 200 : 400)
      }
    }
  }).timeout(60_000)

  test('a sign-in with the old password never outlives the reset', async ({ assert }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const user = await makeUser()
      await signIn(user)
      const token = await withUserLock(user.id, (trx) =>
        mintLink(trx, user, 'reset').then((made) => tokenOfLink(made!))
      )
      const [reset, ...signIns] = await Promise.all([
        post(0, 'password/reset', { token, password: 'a quite different password' }),
        ...Array.from({ length: 6 }, (_, index) =>
          logIn(servers[index % 2].url, user.email, { password: PASSWORD })
        ),
      ])
      assert.equal(reset.status, 204)
      for (const answer of signIns) assert.include([200, 400], answer.status)
      assert.equal(await countRows('sessions', { user_id: user.id, ended_at: null }), 0)
    }
  }).timeout(60_000)
})
