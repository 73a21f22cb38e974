import { test } from '@japa/runner'
import clock from '#app/clock'
import { inTransaction } from '#app/database/transaction'
import { createUser } from '#app/accounts/sign_up'
import accountsConfig from '#config/accounts'
import User from '#models/user'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { openMailbox } from '#tests/harness/mailbox'
import { startServer } from '#tests/harness/server'
import { makeClient } from '#tests/harness/service_clients'

const NEW = 'a quite different password'
const MINUTE = 60_000

function makeNameless() {
  return inTransaction((trx) => createUser(trx, { externalId: 'x' }, 'system'))
}

test.group('Accounts without a password', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    clock.freeze()
    return () => clock.restore()
  })

  test('set one, and are deleted, by a fresh sign-in', async ({ client, assert }) => {
    const user = await makeNameless()
    const { tokens } = await signIn(user)
    const setPassword = () =>
      client.put('/api/v1/account/password').bearerToken(tokens.token).json({ password: NEW })
    const remove = (body: object) =>
      client.delete('/api/v1/account').bearerToken(tokens.token).json(body)

    const account = await client.get('/api/v1/account').bearerToken(tokens.token)
    account.assertStatus(200)
    assert.containsSubset(account.body().data.user, { email: null, externalId: 'x' })

    clock.advance(10 * MINUTE)
    for (const answer of [
      await setPassword(),
      await remove({}),
      await remove({ currentPassword: 'x' }),
    ]) {
      answer.assertStatus(401)
      assert.equal(answer.body().errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
    }
    const { session, tokens: again } = await signIn(await User.findOrFail(user.id))
    assert.isNotNull(session)
    const set = await client
      .put('/api/v1/account/password')
      .bearerToken(again.token)
      .json({ password: NEW })
    set.assertStatus(200)
    await user.refresh()
    assert.isNotNull(user.password)
    const without = await client
      .delete('/api/v1/account')
      .bearerToken(set.body().data.token)
      .json({})
    without.assertStatus(422)
    assert.equal(without.body().errors[0].field, 'currentPassword')
    const gone = await client
      .delete('/api/v1/account')
      .bearerToken(set.body().data.token)
      .json({ currentPassword: NEW })
    gone.assertStatus(204)
  })

  test('are refused at sign-in as everybody else, and mailed nothing without an e-mail', async ({
    client,
    assert,
    cleanup,
  }) => {
    const mailbox = openMailbox()
    cleanup(() => mailbox.close())
    const user = await makeUser()
    await User.query().where('id', user.id).update({ password: null })
    for (const password of ['', PASSWORD, 'null']) {
      const answer = await client.post('/api/v1/auth/login').json({ email: user.email, password })
      assert.include([400, 422], answer.status())
    }
    const { tokens } = await signIn(await makeNameless())
    const key = await client
      .post('/api/v1/api-keys')
      .bearerToken(tokens.token)
      .json({ name: 'Script' })
    key.assertStatus(201)
    assert.isEmpty(await mailbox.read())
  })

  test('are introspected without a username, and forwarded with an empty one', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeNameless())
    const { basic } = await makeClient(['introspect'])
    const told = await client
      .post('/oauth/introspect')
      .header('authorization', basic)
      .form({ token: tokens.token })
    assert.containsSubset(told.body(), { active: true, external_id: 'x', email_verified: false })
    assert.notProperty(told.body(), 'username')
    const passed = await client.get('/forward-auth').bearerToken(tokens.token)
    passed.assertStatus(200)
    assert.equal(passed.header('x-auth-user-email'), '')
    assert.equal(passed.header('x-auth-external-id'), 'x')
  })
})

test.group('PASSWORD_SIGN_IN=off', (group) => {
  group.each.setup(() => emptyDatabase())

  test('takes passwords from API, OpenAPI and page', async ({ assert, cleanup }) => {
    const server = await startServer({ env: { PASSWORD_SIGN_IN: 'off' } })
    cleanup(() => server.stop())
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const send = (method: string, path: string, body: object, authorization?: string) =>
      fetch(server.url + path, {
        method,
        headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
        body: JSON.stringify(body),
      })
    const bearer = `Bearer ${tokens.token}`
    const { email } = user
    for (const [method, path, body] of [
      ['POST', '/api/v1/auth/signup', { email: 'new@example.com', password: NEW }],
      ['POST', '/api/v1/auth/login', { email, password: PASSWORD }],
      ['POST', '/api/v1/auth/confirm', { password: PASSWORD }],
      ['POST', '/api/v1/auth/password/forgot', { email }],
      ['POST', '/api/v1/auth/password/reset', { token: 'x', password: NEW }],
      ['PUT', '/api/v1/account/password', { currentPassword: PASSWORD, password: NEW }],
    ] as const) {
      const answer = await send(method, path, body, bearer)
      assert.equal(answer.status, 404, path)
    }

    const document = await fetch(`${server.url}/openapi.json`).then((answer) => answer.text())
    assert.notMatch(document, /auth\/(signup|login|confirm|password)|account\/password/)
    const page = await fetch(server.url).then((answer) => answer.text())
    assert.notMatch(page, /password/i)

    const { basic } = await makeClient(['sign_in', 'manage'])
    const signedIn = await send('POST', '/api/v1/sessions', { user: { email } }, basic)
    assert.equal(signedIn.status, 200)
    const { data } = (await signedIn.json()) as { data: { token: string; user: { id: number } } }
    const set = await send('PATCH', `/api/v1/admin/users/${user.id}`, { password: NEW }, basic)
    assert.equal(set.status, 422)
    const gone = await send('DELETE', '/api/v1/account', {}, `Bearer ${data.token}`)
    assert.equal(gone.status, 204, 'a fresh sign-in is enough')
  }).timeout(120_000)

  test('is in no mail', async ({ assert, cleanup }) => {
    accountsConfig.passwordSignIn = false
    cleanup(() => {
      accountsConfig.passwordSignIn = true
    })
    const { default: ApiKeyCreatedMail } = await import('#mails/api_key_created_mail')
    const { default: EmailChangeMail } = await import('#mails/email_change_mail')
    const { default: NewDeviceMail } = await import('#mails/new_device_mail')
    const { default: TokenReuseMail } = await import('#mails/token_reuse_mail')
    const device = { name: 'Phone', platform: 'ios' }
    const at = clock.now()
    const mails = [
      new ApiKeyCreatedMail('Script', at),
      new EmailChangeMail(at),
      new NewDeviceMail({ device, ip: null, createdAt: at }, []),
      new TokenReuseMail(device, at),
    ]
    for (const mail of mails) {
      mail.prepare()
      const { message } = mail.message.toObject()
      assert.include(String(message.text), 'sign out your other devices')
      assert.notMatch(String(message.text), /password/i)
    }
  })
})
