import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import db from '@adonisjs/lucid/services/db'
import { changePassword } from '#app/accounts/change_password'
import { deleteAccount } from '#app/accounts/delete_account'
import sessionsConfig from '#config/sessions'
import { makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { keepPolicy } from '#tests/harness/policy'

const NEW = 'a quite different password'

/**
 * What a request with an access token gets: 200, or the reason or else the code of the 401.
 */
async function check(client: ApiClient, token: string): Promise<string> {
  const answer = await client.get('/api/v1/account').bearerToken(token)
  if (answer.status() === 200) return '200'
  return answer.body().errors[0].reason ?? answer.body().errors[0].code
}

function change(client: ApiClient, token: string, body: object) {
  return client.put('/api/v1/account/password').bearerToken(token).json(body)
}

test.group('Changing the password', (group) => {
  let mailbox: ReturnType<typeof openMailbox>

  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    sessionsConfig.limit = 0
    mailbox = openMailbox()
    return async () => {
      await mailbox.read()
      mailbox.close()
      restore()
    }
  })

  for (const [what, device] of [
    ['missing', undefined],
    ['empty', { id: '' }],
    ['foreign', { id: "another user's" }],
  ] as const) {
    test(`after sign-ins with a ${what} device id ends every other token and reset link`, async ({
      client,
      assert,
    }) => {
      const [user, other] = [await makeUser(), await makeUser()]
      await signIn(other, { id: "another user's" })
      const login = (said: object = {}) =>
        client
          .post('/api/v1/auth/login')
          .json({ email: user.email, password: PASSWORD, device, ...said })
      const first = await login()
      const current = await login({ device: { id: 'another' } })
      const old = current.body().data
      await client.post('/api/v1/auth/password/forgot').json({ email: user.email })
      const mails = await mailbox.read()
      const link = tokenIn(mails.at(-1)!.text)

      const changed = await change(client, old.token, { currentPassword: PASSWORD, password: NEW })
      changed.assertStatus(200)
      const fresh = changed.body().data
      assert.equal(changed.header('cache-control'), 'no-store')
      assert.equal(fresh.tokenType, 'Bearer')
      assert.equal(fresh.session.id, old.session.id)
      assert.isTrue(fresh.session.current)
      assert.sameMembers(Object.keys(fresh), [
        'token',
        'tokenType',
        'expiresAt',
        'expiresIn',
        'refreshToken',
        'refreshExpiresAt',
        'refreshExpiresIn',
        'session',
      ])

      assert.equal(await check(client, fresh.token), '200')
      assert.equal(await check(client, old.token), 'E_TOKEN_EXPIRED')
      assert.equal(await check(client, first.body().data.token), 'password_changed')
      const left = await db.from('api_tokens').where('tokenable_id', user.id)
      assert.deepEqual([...new Set(left.map((row) => row.session_id))], [old.session.id])
      assert.lengthOf(left, 2)
      const reset = await client
        .post('/api/v1/auth/password/reset')
        .json({ token: link, password: 'yet another one' })
      reset.assertStatus(422)
      assert.equal(await countRows('api_tokens', { tokenable_id: other.id }), 2)

      const before = await login()
      before.assertStatus(400)
      const after = await login({ password: NEW })
      after.assertStatus(200)
    })
  }

  test('keepOthers lets the other sessions live', async ({ client, assert }) => {
    const user = await makeUser()
    const { tokens: other } = await signIn(user)
    const { tokens } = await signIn(user)
    const body = { currentPassword: PASSWORD, password: NEW, keepOthers: true }
    const changed = await change(client, tokens.token, body)
    changed.assertStatus(200)
    assert.equal(await check(client, other.token), '200')
    assert.equal(await check(client, tokens.token), 'E_TOKEN_EXPIRED')
  })

  test('a wrong current password changes nothing', async ({ client, assert }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const before = await snapshot()
    for (const currentPassword of ['wrong password', PASSWORD + ' ', '']) {
      const answer = await change(client, tokens.token, { currentPassword, password: NEW })
      assert.include([400, 422], answer.status())
      assert.equal(await snapshot(), before)
    }
    const wrong = await change(client, tokens.token, { currentPassword: 'wrong', password: NEW })
    assert.equal(wrong.body().errors[0].code, 'E_INVALID_CREDENTIALS')
    for (const password of ['short', null, ['a long enough one'], 'x'.repeat(257), 'a\0bcdefgh']) {
      const answer = await change(client, tokens.token, { currentPassword: PASSWORD, password })
      answer.assertStatus(422)
    }
    assert.equal(await snapshot(), before)
  })

  test('the person hears of it by mail, and neither log nor mail holds a secret', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    await change(client, tokens.token, { currentPassword: PASSWORD, password: NEW })
    const [mail] = await mailbox.read()
    assert.equal(mail.to, user.email)
    assert.equal(mail.subject, 'Your password was changed')
    assert.notInclude(mail.text, NEW)
    assert.notInclude(await snapshot(), NEW)
    const event = await db.from('session_events').where('type', 'password.changed').firstOrFail()
    assert.deepEqual(
      [event.actor, JSON.parse(event.data)],
      [`user:${user.id}`, { means: 'change' }]
    )
  })
  test('of an account that was deleted meanwhile is refused as that', async ({ assert }) => {
    const { session } = await signIn(await makeUser())
    await deleteAccount(session, PASSWORD)
    for (const late of [
      () => changePassword(session, { currentPassword: PASSWORD, password: NEW }),
      () => deleteAccount(session, PASSWORD),
    ]) {
      const error: any = await late().catch((failure) => failure)
      assert.equal(error.code, 'E_SESSION_ENDED')
      assert.equal(error.details.reason, 'account_deleted')
    }
  })
})
