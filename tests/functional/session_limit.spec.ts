import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { mintLink } from '#app/accounts/mailed_links'
import { tokenOfLink } from '#mails/link'
import { disableUser } from '#app/accounts/disabled_users'
import sessionsConfig from '#config/sessions'
import User from '#models/user'
import { withUserLock } from '#app/sessions/user_lock'
import { makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

test.group('Session limit of a user', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    return keepPolicy()
  })

  test('an admin sets it and takes it away, and nobody else', async ({ client, assert }) => {
    const admin = await makeUser({ role: 'admin' })
    const ada = await makeUser()
    const { tokens } = await signIn(admin)
    const { tokens: own } = await signIn(ada)
    const set = (token: string, limit: unknown, id: unknown = ada.id) =>
      client
        .patch(`/api/v1/admin/users/${id}/limit`)
        .bearerToken(token)
        .json({ limit } as object)

    const raised = await set(tokens.token, 2)
    raised.assertStatus(200)
    assert.containsSubset(raised.body().data, { user: { id: ada.id }, sessionLimit: 2 })
    const second = await client
      .post('/api/v1/auth/login')
      .json({ email: ada.email, password: PASSWORD })
    assert.deepEqual(second.body().data.quota, { used: 2, max: 2 })

    const cleared = await set(tokens.token, null)
    assert.isNull(cleared.body().data.sessionLimit)
    const forbidden = await set(own.token, 100)
    forbidden.assertStatus(403)
    const unknown = await set(tokens.token, 2, 999_999)
    unknown.assertStatus(404)
    for (const limit of [-1, 1.5, '2', 'x', [], {}, true, undefined, 100_001]) {
      const invalid = await set(tokens.token, limit)
      invalid.assertStatus(422)
    }
    const user = await User.findOrFail(ada.id)
    assert.isNull(user.sessionLimit)
    const [event] = await db.from('session_events').where('type', 'user.limit_changed')
    assert.equal(event.actor, `user:${admin.id}`)
  })
})

test.group('Disabling an account', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    sessionsConfig.limit = 0
    return () => {
      restore()
      clock.restore()
    }
  })

  for (const [what, id] of [
    ['missing', null],
    ['foreign', "another user's"],
  ] as const) {
    test(`after sign-ins with a ${what} device id ends every token and reset link`, async ({
      client,
      assert,
    }) => {
      const [user, other] = [await makeUser(), await makeUser()]
      const { tokens: foreign } = await signIn(other, { id: "another user's" })
      const signedIn = [await signIn(user, { id }), await signIn(user, { id: 'b' })]
      const link = await withUserLock(user.id, (trx) =>
        mintLink(trx, user, 'reset').then((made) => tokenOfLink(made!))
      )

      await disableUser(user.id, { actor: 'command:test' })
      for (const { tokens } of signedIn) {
        const refused = await client.get('/api/v1/account').bearerToken(tokens.token)
        refused.assertStatus(401)
        assert.equal(refused.body().errors[0].reason, 'account_disabled')
      }
      assert.equal(await countRows('api_tokens', { tokenable_id: user.id }), 0)
      await db.from('users').where('id', user.id).update({ disabled_at: null })
      const reset = await client
        .post('/api/v1/auth/password/reset')
        .json({ token: link, password: 'a quite different password' })
      reset.assertStatus(422)
      const untouched = await client.get('/api/v1/account').bearerToken(foreign.token)
      untouched.assertStatus(200)
    })
  }
})
