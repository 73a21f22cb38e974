import type { ApiClient } from '@japa/api-client'
import { test } from '@japa/runner'
import sessionsConfig from '#config/sessions'
import clock from '#app/clock'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

/**
 * Why the session of a token ended, as a request with it is told.
 */
async function reasonOf(client: ApiClient, token: string): Promise<string> {
  const refused = await client.get('/api/v1/account').bearerToken(token)
  refused.assertStatus(401)
  return refused.body().errors[0].reason
}

test.group('Logout', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const restorePolicy = keepPolicy()
    sessionsConfig.limit = 0
    return () => {
      restorePolicy()
      clock.restore()
    }
  })

  test('ends this session and says so to its token', async ({ client, assert }) => {
    const user = await makeUser()
    const phone = await signIn(user)
    const tablet = await signIn(user)

    const answer = await client.post('/api/v1/auth/logout').bearerToken(phone.tokens.token)
    answer.assertStatus(204)
    assert.isEmpty(answer.text())

    const refused = await client.get('/api/v1/account').bearerToken(phone.tokens.token)
    refused.assertStatus(401)
    assert.containsSubset(refused.body().errors[0], {
      code: 'E_SESSION_ENDED',
      reason: 'logged_out',
    })
    assert.notProperty(refused.body().errors[0], 'by')
    const alive = await client.get('/api/v1/account').bearerToken(tablet.tokens.token)
    alive.assertStatus(200)
  })

  test('logout-others ends the others and keeps this one', async ({ client, assert }) => {
    const user = await makeUser()
    const stranger = await signIn(await makeUser())
    const others = [await signIn(user), await signIn(user)]
    const mine = await signIn(user)

    const answer = await client.post('/api/v1/auth/logout-others').bearerToken(mine.tokens.token)
    answer.assertStatus(200)
    assert.deepEqual(answer.body(), { data: { ended: 2 } })
    for (const other of others) {
      const refused = await client.get('/api/v1/account').bearerToken(other.tokens.token)
      assert.equal(refused.body().errors[0].reason, 'logged_out_elsewhere')
    }
    for (const { tokens } of [mine, stranger]) {
      const alive = await client.get('/api/v1/account').bearerToken(tokens.token)
      alive.assertStatus(200)
    }
  })

  test('logout-all ends every session, each with its own reason', async ({ client, assert }) => {
    const user = await makeUser()
    const other = await signIn(user)
    const mine = await signIn(user)

    const answer = await client.post('/api/v1/auth/logout-all').bearerToken(mine.tokens.token)
    assert.deepEqual(answer.body(), { data: { ended: 2 } })
    const first = await client.get('/api/v1/account').bearerToken(mine.tokens.token)
    assert.equal(first.body().errors[0].reason, 'logged_out')
    const second = await client.get('/api/v1/account').bearerToken(other.tokens.token)
    assert.equal(second.body().errors[0].reason, 'logged_out_elsewhere')
    assert.equal(await countRows('api_tokens', { tokenable_id: user.id }), 0)
  })

  test('{$self} without a valid token ends nothing')
    .with(['logout', 'logout-others', 'logout-all'])
    .run(async ({ client, assert }, route) => {
      const user = await makeUser()
      const { tokens, session } = await signIn(user)
      const before = await snapshot()
      const forged = [
        undefined,
        `oat_${'A'.repeat(43)}`,
        tokens.refreshToken!,
        session.id,
        `${tokens.token}A`,
      ]
      for (const token of forged) {
        const request = client.post(`/api/v1/auth/${route}`)
        if (token) request.bearerToken(token)
        const answer = await request
        answer.assertStatus(401)
      }
      assert.equal(await snapshot(), before)
    })

  test('a second logout with the same token changes nothing', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser())
    await client.post('/api/v1/auth/logout').bearerToken(tokens.token)
    const before = await snapshot()
    const again = await client.post('/api/v1/auth/logout').bearerToken(tokens.token)
    again.assertStatus(401)
    assert.equal(again.body().errors[0].reason, 'logged_out')
    assert.equal(await snapshot(), before)
  })

  test('the current access token ends its session after its expiry', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser())
    clock.freeze()
    clock.advance(sessionsConfig.accessTokenTtl)
    const expired = await client.get('/api/v1/account').bearerToken(tokens.token)
    assert.equal(expired.body().errors[0].code, 'E_TOKEN_EXPIRED')

    const answer = await client.post('/api/v1/auth/logout').bearerToken(tokens.token)
    answer.assertStatus(204)
    assert.equal(await reasonOf(client, tokens.token), 'logged_out')
    const renewal = await client
      .post('/api/v1/auth/refresh')
      .json({ refreshToken: tokens.refreshToken })
    assert.equal(renewal.body().errors[0].reason, 'logged_out')
  })

  test('an expired access token does nothing else', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser())
    clock.freeze()
    clock.advance(sessionsConfig.accessTokenTtl)
    for (const route of ['logout-others', 'logout-all']) {
      const answer = await client.post(`/api/v1/auth/${route}`).bearerToken(tokens.token)
      answer.assertStatus(401)
      assert.equal(answer.body().errors[0].code, 'E_TOKEN_EXPIRED')
    }
  })

  test('a replaced access token ends nothing, expired or not', async ({ client, assert }) => {
    const { tokens, session } = await signIn(await makeUser())
    await client.post('/api/v1/auth/refresh').json({ refreshToken: tokens.refreshToken })
    clock.freeze()
    for (const wait of [0, sessionsConfig.accessTokenTtl]) {
      clock.advance(wait)
      const answer = await client.post('/api/v1/auth/logout').bearerToken(tokens.token)
      answer.assertStatus(401)
      assert.equal(answer.body().errors[0].code, 'E_TOKEN_EXPIRED')
    }
    assert.equal(await countRows('sessions', { id: session.id, ended_at: null }), 1)
  })

  test('a refresh token ends its session: {0}')
    .with([
      ['the current one', 0, 0],
      ['a spent one', 1, 0],
      ['one spent before the last', 2, 0],
      ['the current one past its time', 0, 40 * 24 * 60 * 60_000],
    ] as [string, number, number][])
    .run(async ({ client, assert }, [, refreshes, wait]) => {
      sessionsConfig.idleTimeout = sessionsConfig.maxLifetime
      const { tokens } = await signIn(await makeUser())
      let newest = tokens.refreshToken!
      let access = tokens.token
      for (let refresh = 0; refresh < refreshes; refresh++) {
        const answer = await client.post('/api/v1/auth/refresh').json({ refreshToken: newest })
        newest = answer.body().data.refreshToken
        access = answer.body().data.token
      }
      clock.freeze()
      clock.advance(wait)
      const answer = await client
        .post('/api/v1/auth/logout')
        .json({ refreshToken: tokens.refreshToken })
      answer.assertStatus(204)
      assert.isEmpty(answer.text())
      for (const token of [tokens.token, access]) {
        assert.equal(await reasonOf(client, token), 'logged_out')
      }

      const again = await client
        .post('/api/v1/auth/logout')
        .json({ refreshToken: tokens.refreshToken })
      again.assertStatus(401)
      assert.equal(again.body().errors[0].reason, 'logged_out')
    })

  test('the refresh token of the body decides, whatever the header holds', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const mine = await signIn(user)
    const other = await signIn(user)
    const answer = await client
      .post('/api/v1/auth/logout')
      .bearerToken(mine.tokens.token)
      .json({ refreshToken: other.tokens.refreshToken })
    answer.assertStatus(204)
    assert.equal(await reasonOf(client, other.tokens.token), 'logged_out')
    const alive = await client.get('/api/v1/account').bearerToken(mine.tokens.token)
    alive.assertStatus(200)
  })

  test('what is no refresh token ends nothing', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser())
    const before = await countRows('sessions', { ended_at: null })
    for (const refreshToken of ['', 'x', tokens.token, `ort_${'A'.repeat(43)}`]) {
      const answer = await client.post('/api/v1/auth/logout').json({ refreshToken })
      answer.assertStatus(400)
      assert.equal(answer.body().errors[0].code, 'E_INVALID_REFRESH_TOKEN')
    }
    for (const body of [{}, { refreshToken: null }]) {
      const answer = await client.post('/api/v1/auth/logout').json(body)
      answer.assertStatus(401)
    }
    const wrongType = await client.post('/api/v1/auth/logout').json({ refreshToken: 7 })
    wrongType.assertStatus(422)
    assert.equal(await countRows('sessions', { ended_at: null }), before)
  })

  test('a session that time has ended is told so, and not as signed out', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    clock.freeze()
    clock.advance(sessionsConfig.idleTimeout)
    const answers = [
      await client.post('/api/v1/auth/logout').bearerToken(tokens.token),
      await client.post('/api/v1/auth/logout').json({ refreshToken: tokens.refreshToken }),
    ]
    for (const answer of answers) {
      answer.assertStatus(401)
      assert.equal(answer.body().errors[0].reason, 'idle')
    }
  })

  test('another family of user agent signs nobody out where sessions are bound to one', async ({
    client,
    assert,
  }) => {
    sessionsConfig.binding = 'user_agent'
    const { tokens, session } = await signIn(await makeUser(), { userAgent: 'Phone/1.0' })
    clock.freeze()
    clock.advance(sessionsConfig.accessTokenTtl)
    const refused = [
      await client.post('/api/v1/auth/logout').bearerToken(tokens.token),
      await client.post('/api/v1/auth/logout').json({ refreshToken: tokens.refreshToken }),
    ]
    assert.deepEqual(
      refused.map((answer) => answer.status()),
      [401, 400]
    )
    assert.equal(await countRows('sessions', { id: session.id, ended_at: null }), 1)
    const allowed = await client
      .post('/api/v1/auth/logout')
      .header('user-agent', 'Phone/2.0')
      .bearerToken(tokens.token)
    allowed.assertStatus(204)
  })
})
