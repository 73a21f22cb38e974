import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import mail from '@adonisjs/mail/services/main'
import { inTransaction } from '#app/database/transaction'
import clock from '#app/clock'
import { notices } from '#mails/mail_queue'
import { mintToken } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import TokenReuseMail from '#mails/token_reuse_mail'
import { replaceTokens } from '#app/tokens/issue'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'

test.group('Refresh', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const policy = { ...sessionsConfig }
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    return () => {
      Object.assign(sessionsConfig, policy)
      clock.restore()
    }
  })

  const refresh = (client: any, refreshToken: unknown) =>
    client.post('/api/v1/auth/refresh').json({ refreshToken })
  const getAccount = (client: any, token: string) =>
    client.get('/api/v1/account').bearerToken(token)

  test('trades the tokens for new ones; the old access token dies with it', async ({
    client,
    assert,
  }) => {
    const { tokens, session } = await signIn(await makeUser())
    clock.advance(10_000)
    const answer = await refresh(client, tokens.refreshToken)
    answer.assertStatus(200)
    assert.equal(answer.header('cache-control'), 'no-store')
    const { data } = answer.body()
    assert.equal(data.session.id, session.id)
    assert.equal(data.session.lastSeenAt, clock.now().toISOString())
    assert.notEqual(data.token, tokens.token)

    const alive = await getAccount(client, data.token)
    alive.assertStatus(200)
    const dead = await getAccount(client, tokens.token)
    dead.assertStatus(401)
    assert.equal(dead.body().errors[0].code, 'E_TOKEN_EXPIRED')
    assert.equal(await countRows('api_tokens'), 2)
    assert.notInclude(await snapshot(), data.refreshToken.slice(4))
  })

  test('a retry within the window gets the same answer and writes nothing', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const first = await refresh(client, tokens.refreshToken)
    const before = await snapshot()
    clock.advance(sessionsConfig.refreshRetryWindow - 1000)
    const again = await refresh(client, tokens.refreshToken)
    again.assertStatus(200)
    for (const field of ['token', 'expiresAt', 'refreshToken', 'refreshExpiresAt']) {
      assert.equal(again.body().data[field], first.body().data[field])
    }
    assert.equal(await snapshot(), before)
  })

  test('reuse after the window ends the session, logs it and mails the user', async ({
    client,
    assert,
    cleanup,
  }) => {
    const { tokens, session } = await signIn(await makeUser())
    const first = await refresh(client, tokens.refreshToken)
    clock.advance(sessionsConfig.refreshRetryWindow)
    const { mails } = mail.fake()
    cleanup(() => mail.restore())
    const reused = await refresh(client, tokens.refreshToken)
    reused.assertStatus(400)
    assert.equal(reused.body().errors[0].code, 'E_REFRESH_TOKEN_REUSED')
    await notices.settled()
    mails.assertSent(TokenReuseMail)

    const ended = await getAccount(client, first.body().data.token)
    assert.equal(ended.body().errors[0].reason, 'token_reuse')
    for (const value of [tokens.refreshToken, first.body().data.refreshToken]) {
      const later = await refresh(client, value)
      later.assertStatus(401)
      assert.equal(later.body().errors[0].reason, 'token_reuse')
    }
    const event = { type: 'session.ended', reason: 'token_reuse', session_id: session.id }
    assert.equal(await countRows('session_events', event), 1)
  })

  test('within the window too, once the successor was used: an honest client has no reason to', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const first = await refresh(client, tokens.refreshToken)
    await refresh(client, first.body().data.refreshToken)
    const reused = await refresh(client, tokens.refreshToken)
    assert.equal(reused.body().errors[0].code, 'E_REFRESH_TOKEN_REUSED')
  })

  test('one that was replaced by other means is refused, and ends nothing in the window', async ({
    client,
    assert,
  }) => {
    const { tokens, session } = await signIn(await makeUser())
    await inTransaction((trx) =>
      replaceTokens(trx, session, { access: mintToken('access'), refresh: mintToken('refresh') })
    )
    const answer = await refresh(client, tokens.refreshToken)
    answer.assertStatus(400)
    assert.equal(answer.body().errors[0].code, 'E_INVALID_REFRESH_TOKEN')
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
  })

  test('never extends the session past its absolute lifetime', async ({ client, assert }) => {
    const { tokens, session } = await signIn(await makeUser())
    let { refreshToken } = tokens
    for (let month = 0; month < 4; month++) {
      const left = session.expiresAt.getTime() - clock.millis()
      clock.advance(Math.min(29 * 86_400_000, left - 1000))
      const answer = await refresh(client, refreshToken)
      answer.assertStatus(200)
      refreshToken = answer.body().data.refreshToken
    }
    const last = await db.from('api_tokens').where('type', 'refresh').firstOrFail()
    assert.deepEqual(new Date(last.expires_at), session.expiresAt)
    clock.advance(1000)
    const over = await refresh(client, refreshToken)
    over.assertStatus(401)
    assert.equal(over.body().errors[0].reason, 'expired')
  })

  test('a refresh token past its time is invalid, to the second', async ({ client, assert }) => {
    sessionsConfig.refreshTokenTtl = 3_600_000
    const { tokens } = await signIn(await makeUser())
    clock.advance(3_600_000)
    const late = await refresh(client, tokens.refreshToken)
    late.assertStatus(400)
    assert.equal(late.body().errors[0].code, 'E_INVALID_REFRESH_TOKEN')
    clock.advance(-1000)
    const inTime = await refresh(client, tokens.refreshToken)
    inTime.assertStatus(200)
  })

  test('{0} is refused and ends nothing')
    .with([
      ['an unknown token', `ort_${'A'.repeat(43)}`, 400],
      ['nonsense', 'nonsense', 400],
      ['an empty text', '', 400],
      ['a number', 7, 422],
      ['nothing', undefined, 422],
      ['an array', ['x'], 422],
    ] as [string, unknown, number][])
    .run(async ({ client, assert }, [, value, status]) => {
      const { tokens } = await signIn(await makeUser())
      const before = await snapshot()
      for (const token of [value, status === 400 ? tokens.token : value]) {
        const answer = await refresh(client, token)
        answer.assertStatus(status)
      }
      assert.equal(await snapshot(), before)
    })

  test('the holder of an ended session learns why', async ({ client, assert }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    await signIn(user, { name: 'Tablet', platform: 'android' })
    const answer = await refresh(client, tokens.refreshToken)
    answer.assertStatus(401)
    assert.containsSubset(answer.body().errors[0], {
      code: 'E_SESSION_ENDED',
      reason: 'superseded',
      by: { name: 'Tablet', platform: 'android' },
    })
  })

  test('without refresh tokens nothing is traded', async ({ client, assert }) => {
    const earlier = await signIn(await makeUser())
    const spent = await signIn(await makeUser())
    await refresh(client, spent.tokens.refreshToken)
    sessionsConfig.refreshTokenTtl = 0
    const { tokens } = await signIn(await makeUser())
    assert.isNull(tokens.refreshToken)
    assert.isNull(tokens.refreshExpiresAt)

    const before = await snapshot()
    const { refreshToken } = earlier.tokens
    for (const value of [tokens.token, `ort_${'A'.repeat(43)}`, refreshToken]) {
      const answer = await refresh(client, value)
      answer.assertStatus(400)
      assert.equal(answer.body().errors[0].code, 'E_INVALID_REFRESH_TOKEN')
    }
    clock.advance(sessionsConfig.refreshRetryWindow)
    const replayed = await refresh(client, spent.tokens.refreshToken)
    assert.equal(replayed.body().errors[0].code, 'E_INVALID_REFRESH_TOKEN')
    assert.equal(await snapshot(), before)
  })

  test('without them, an access token says until when it lives unused, to the second', async ({
    client,
    assert,
  }) => {
    const minute = 60_000
    Object.assign(sessionsConfig, {
      refreshTokenTtl: 0,
      accessTokenTtl: 60 * minute,
      idleTimeout: 15 * minute,
      maxLifetime: 40 * minute,
    })
    const { tokens, session } = await signIn(await makeUser())
    assert.equal(tokens.expiresAt.getTime(), clock.millis() + 15 * minute)
    for (let use = 0; use < 2; use++) {
      clock.advance(15 * minute - 1000)
      const answer = await getAccount(client, tokens.token)
      answer.assertStatus(200)
    }
    clock.advance(session.expiresAt.getTime() - clock.millis() - 1000)
    const last = await getAccount(client, tokens.token)
    last.assertStatus(200)
    clock.advance(1000)
    const over = await getAccount(client, tokens.token)
    assert.equal(over.body().errors[0].reason, 'expired')

    const { tokens: unused } = await signIn(await makeUser())
    clock.advance(15 * minute)
    const idle = await getAccount(client, unused.token)
    assert.equal(idle.body().errors[0].reason, 'idle')
  })
})
