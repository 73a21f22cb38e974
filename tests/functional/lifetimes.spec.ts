import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

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
