import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { rateLimits } from '#config/rate_limits'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

const MINUTE = 60_000

test.group('A fresh sign-in', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const limits = { ...rateLimits }
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    return () => {
      Object.assign(rateLimits, limits)
      clock.restore()
    }
  })

  const createKey = (client: any, token: string) =>
    client.post('/api/v1/api-keys').bearerToken(token).json({ name: 'Export' })
  const confirm = (client: any, token: string, password: unknown = PASSWORD) =>
    client.post('/api/v1/auth/confirm').bearerToken(token).json({ password })
  const refresh = (client: any, refreshToken: string) =>
    client.post('/api/v1/auth/refresh').json({ refreshToken })

  test('is wanted for an API key: ten minutes, to the second, and the session lives on', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    clock.advance(10 * MINUTE - 1000)
    const inTime = await createKey(client, tokens.token)
    inTime.assertStatus(201)
    clock.advance(1000)
    const late = await createKey(client, tokens.token)
    late.assertStatus(401)
    assert.equal(late.body().errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
    assert.equal(
      late.header('www-authenticate'),
      'Bearer realm="latchkey", error="insufficient_user_authentication", max_age="600"'
    )
    assert.equal(await countRows('api_tokens', { type: 'api_key' }), 1)
    const alive = await client.get('/api/v1/account').bearerToken(tokens.token)
    alive.assertStatus(200)
  })

  test('is not made by a refresh, but by the password', async ({ client, assert }) => {
    const { tokens, session } = await signIn(await makeUser())
    clock.advance(11 * MINUTE)
    const { data: renewed } = await refresh(client, tokens.refreshToken!).then((answer: any) =>
      answer.body()
    )
    assert.equal(renewed.session.authenticatedAt, session.createdAt.toISOString())
    const refused = await createKey(client, renewed.token)
    assert.equal(refused.body().errors[0].code, 'E_REAUTHENTICATION_REQUIRED')

    const confirmed = await confirm(client, renewed.token)
    confirmed.assertStatus(200)
    assert.deepEqual(confirmed.body().data, { authenticatedAt: clock.now().toISOString() })
    const made = await createKey(client, renewed.token)
    made.assertStatus(201)
    const list = await client.get('/api/v1/sessions').bearerToken(renewed.token)
    assert.equal(list.body().data[0].authenticatedAt, clock.now().toISOString())
  })

  test('a wrong password makes nothing fresh, and is counted', async ({ client, assert }) => {
    rateLimits.signIn = { count: 3, windowMs: MINUTE }
    const { tokens } = await signIn(await makeUser())
    clock.advance(11 * MINUTE)
    for (let guess = 0; guess < 3; guess++) {
      const wrong = await confirm(client, tokens.token, 'wrong')
      wrong.assertStatus(400)
      assert.equal(wrong.body().errors[0].code, 'E_INVALID_CREDENTIALS')
    }
    const limited = await confirm(client, tokens.token)
    limited.assertStatus(429)
    const refused = await createKey(client, tokens.token)
    refused.assertStatus(401)
  })

  test('is wanted of a session alone: an API key never has one', async ({ client }) => {
    const { tokens } = await signIn(await makeUser())
    const {
      data: { key },
    } = await createKey(client, tokens.token).then((answer: any) => answer.body())
    const confirmed = await confirm(client, key)
    confirmed.assertStatus(403)
    const made = await createKey(client, key)
    made.assertStatus(403)
  })

  test('a session of an older version is as fresh as it is old', async ({ client }) => {
    const { tokens } = await signIn(await makeUser())
    await db.from('sessions').update({ authenticated_at: null })
    const inTime = await createKey(client, tokens.token)
    inTime.assertStatus(201)
    clock.advance(10 * MINUTE)
    const late = await createKey(client, tokens.token)
    late.assertStatus(401)
  })
})
