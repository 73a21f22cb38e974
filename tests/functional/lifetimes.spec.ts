import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'
import { makeClient } from '#tests/harness/service_clients'

const SECOND = 1000
const HOUR = 60 * 60 * SECOND
const DAY = 24 * HOUR

/**
 * What a request with the token gets: 200, or the code and the reason of the 401.
 */
async function check(client: ApiClient, token: string): Promise<string> {
  const answer = await client.get('/api/v1/account').bearerToken(token)
  if (answer.status() === 200) return '200'
  const [{ code, reason }] = answer.body().errors
  return reason ? `${code} ${reason}` : code
}

test.group('Lifetimes', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    Object.assign(sessionsConfig, {
      accessTokenTtl: HOUR,
      refreshTokenTtl: 30 * DAY,
      idleTimeout: 30 * DAY,
      maxLifetime: 90 * DAY,
    })
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    return () => {
      restore()
      clock.restore()
    }
  })

  test('an access token is good until the second it expires', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser())
    clock.advance(HOUR - SECOND)
    assert.equal(await check(client, tokens.token), '200')
    clock.advance(SECOND)
    assert.equal(await check(client, tokens.token), 'E_TOKEN_EXPIRED')
    clock.advance(SECOND)
    assert.equal(await check(client, tokens.token), 'E_TOKEN_EXPIRED')
  })

  test('every answer with tokens says in how many whole seconds they expire', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const { email } = user
    const told = ({ data }: any) => [data.expiresIn, data.refreshExpiresIn]
    const whole = [HOUR / SECOND, (30 * DAY) / SECOND]
    const post = (path: string, body: object) => client.post(`/api/v1${path}`).json(body)

    const signedUp = await post('/auth/signup', {
      email: 'new@example.com',
      password: 'nine analytical engines',
    })
    const signedIn = await post('/auth/login', { email, password: PASSWORD })
    const { basic } = await makeClient(['sign_in', 'manage'])
    const trusted = await post('/sessions', { user: { id: user.id }, limit: 0 }).header(
      'authorization',
      basic
    )
    const change = { password: 'nine analytical engines', currentPassword: PASSWORD }
    const changed = await client
      .put('/api/v1/account/password')
      .bearerToken(trusted.body().data.token)
      .json(change)
    for (const answer of [signedUp, signedIn, trusted, changed]) {
      assert.deepEqual(told(answer.body()), whole)
    }

    const support = await post(`/admin/users/${user.id}/support-session`, {
      reason: 'ticket 4711',
      duration: '90s',
    }).header('authorization', basic)
    assert.deepEqual(told(support.body()), [90, null])

    const next = await signIn(await makeUser())
    const refreshed = await post('/auth/refresh', { refreshToken: next.tokens.refreshToken })
    clock.advance(1.5 * SECOND)
    const retried = await post('/auth/refresh', { refreshToken: next.tokens.refreshToken })
    assert.deepEqual(told(refreshed.body()), whole)
    assert.deepEqual(
      told(retried.body()),
      whole.map((seconds) => seconds - 2)
    )
  })

  test('a session goes idle at the second, counted from its last use', async ({
    client,
    assert,
  }) => {
    Object.assign(sessionsConfig, { accessTokenTtl: 10 * DAY, idleTimeout: 2 * DAY })
    const { tokens } = await signIn(await makeUser())
    clock.advance(2 * DAY - SECOND)
    assert.equal(await check(client, tokens.token), '200')
    clock.advance(2 * DAY - SECOND)
    assert.equal(await check(client, tokens.token), '200')
    clock.advance(2 * DAY)
    assert.equal(await check(client, tokens.token), 'E_SESSION_ENDED idle')
    clock.advance(SECOND)
    assert.equal(await check(client, tokens.token), 'E_SESSION_ENDED idle')
  })

  test('a session ends at its longest lifetime, however much it is used', async ({
    client,
    assert,
  }) => {
    Object.assign(sessionsConfig, { accessTokenTtl: 10 * DAY, maxLifetime: 3 * DAY })
    const { tokens, session } = await signIn(await makeUser())
    clock.advance(3 * DAY - SECOND)
    assert.equal(await check(client, tokens.token), '200')
    clock.advance(SECOND)
    assert.equal(await check(client, tokens.token), 'E_SESSION_ENDED expired')
    clock.advance(SECOND)
    const answer = await client.get('/api/v1/account').bearerToken(tokens.token)
    assert.equal(answer.body().errors[0].endedAt, session.expiresAt.toISOString())
  })

  test('a session that went idle before its longest lifetime says so ever after', async ({
    client,
    assert,
  }) => {
    Object.assign(sessionsConfig, {
      accessTokenTtl: 10 * DAY,
      idleTimeout: DAY,
      maxLifetime: 3 * DAY,
    })
    const { tokens } = await signIn(await makeUser())
    for (const wait of [DAY, 2 * DAY, DAY]) {
      clock.advance(wait)
      assert.equal(await check(client, tokens.token), 'E_SESSION_ENDED idle')
    }
  })

  test('without refresh tokens an access token slides with use, and goes idle', async ({
    client,
    assert,
  }) => {
    sessionsConfig.refreshTokenTtl = 0
    const { tokens } = await signIn(await makeUser())
    assert.isNull(tokens.refreshToken)
    for (let use = 0; use < 3; use++) {
      clock.advance(HOUR - SECOND)
      assert.equal(await check(client, tokens.token), '200')
    }
    clock.advance(HOUR)
    assert.equal(await check(client, tokens.token), 'E_SESSION_ENDED idle')
  })

  test('a lapsed session is not listed, and counts no more', async ({ client, assert }) => {
    Object.assign(sessionsConfig, { limit: 2, onLimit: 'reject', idleTimeout: DAY })
    const user = await makeUser()
    await signIn(user, { name: 'A' })
    clock.advance(DAY - SECOND)
    const { tokens } = await signIn(user, { name: 'B' })
    const names = async () => {
      const answer = await client.get('/api/v1/sessions').bearerToken(tokens.token)
      return answer.body().data.map((session: any) => session.device.name)
    }
    assert.deepEqual(await names(), ['B', 'A'])
    clock.advance(SECOND)
    assert.deepEqual(await names(), ['B'])
    const { quota, endedSessions } = await signIn(user, { name: 'C' })
    assert.deepEqual(quota, { used: 2, max: 2 })
    assert.isEmpty(endedSessions)
  })
})
