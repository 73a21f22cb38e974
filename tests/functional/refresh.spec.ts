import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import mail from '@adonisjs/mail/services/main'
import { inTransaction } from '#app/database/transaction'
import clock from '#app/clock'
import { postman } from '#mails/postman'
import { mintToken } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import TokenReuseMail from '#mails/token_reuse_mail'
import { replaceTokens } from '#app/tokens/issue'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { makeClient } from '#tests/harness/service_clients'

const EVENTS = '/api/v1/session/events'

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

  const CODES = { reused: 'E_REFRESH_TOKEN_REUSED', expired: 'E_TOKEN_EXPIRED' }
  const codeOf = (answer: any) => answer.body().errors?.[0].code
  const window = () => sessionsConfig.refreshRetryWindow
  const FIELDS = ['token', 'expiresAt', 'refreshToken', 'refreshExpiresAt']
  const givenBy = (answer: any) => FIELDS.map((field) => answer.body().data?.[field])

  test('a retry within the window of the last answer gets the same answer, however often', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const first = await refresh(client, tokens.refreshToken)
    for (let retry = 0; retry < 3; retry++) {
      clock.advance(window() - 1000)
      const again = await refresh(client, tokens.refreshToken)
      again.assertStatus(200)
      assert.deepEqual(givenBy(again), givenBy(first))
    }
    assert.equal(await countRows('api_tokens'), 2)
  })

  test('a late retry gets new tokens while nobody used those before, which are spent then', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const seen = [await refresh(client, tokens.refreshToken)]
    for (const wait of [window(), 3_600_000, 20 * 86_400_000]) {
      clock.advance(wait)
      const late = await refresh(client, tokens.refreshToken)
      late.assertStatus(200)
      const again = await refresh(client, tokens.refreshToken)
      assert.deepEqual(givenBy(again), givenBy(late))
      const before = seen.at(-1)!.body().data
      const spent = await getAccount(client, before.token)
      assert.equal(codeOf(spent), CODES.expired)
      seen.push(late)
    }
    assert.lengthOf([...new Set(seen.map((answer: any) => answer.body().data.refreshToken))], 4)
    const { token } = seen.at(-1)!.body().data
    const alive = await getAccount(client, token)
    alive.assertStatus(200)
    assert.equal(await countRows('api_tokens'), 2)
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
  })

  const introspect = async (client: any, token: string) => {
    const { basic } = await makeClient(['introspect'])
    return client.post('/oauth/introspect').header('authorization', basic).form({ token })
  }
  const USES: [string, (client: any, data: any) => Promise<unknown>][] = [
    ['a request', (client, data) => getAccount(client, data.token)],
    ['forward auth', (client, data) => client.get('/forward-auth').bearerToken(data.token)],
    ['introspection', (client, data) => introspect(client, data.token)],
    ['an event stream', (client, data) => client.head(EVENTS).bearerToken(data.token)],
    ['a refresh', (client, data) => refresh(client, data.refreshToken)],
  ]
  for (const [what, use] of USES) {
    test(`once a successor was used by ${what}: the same tokens for the window, then reuse`, async ({
      client,
      assert,
    }) => {
      const { tokens, session } = await signIn(await makeUser())
      const first = await refresh(client, tokens.refreshToken)
      clock.advance(3_600_000 - 1000)
      await use(client, first.body().data)
      clock.advance(window() - 1000)
      const same = await refresh(client, tokens.refreshToken)
      assert.deepEqual(givenBy(same), givenBy(first))
      clock.advance(1000)
      const reused = await refresh(client, tokens.refreshToken)
      assert.equal(codeOf(reused), CODES.reused)
      assert.equal(await countRows('sessions', { id: session.id, end_reason: 'token_reuse' }), 1)
    })
  }

  test('introspection of a refresh token, and a check that is refused, are no use', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const first = await refresh(client, tokens.refreshToken)
    await introspect(client, first.body().data.refreshToken)
    clock.advance(3_600_000)
    const refused = await getAccount(client, first.body().data.token)
    assert.equal(codeOf(refused), CODES.expired)
    const late = await refresh(client, tokens.refreshToken)
    late.assertStatus(200)
    assert.notDeepEqual(givenBy(late), givenBy(first))
  })

  test('the first use is written once: later ones write nothing', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser())
    const {
      data: { token },
    } = await refresh(client, tokens.refreshToken).then((answer: any) => answer.body())
    const unused = await snapshot()
    await getAccount(client, token)
    const used = await snapshot()
    assert.notEqual(used, unused)
    clock.advance(1000)
    await getAccount(client, token)
    assert.equal(await snapshot(), used)
  })

  test('a thief who spends ahead of the owner is found out at the next refresh of the owner', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const { data: owners } = await refresh(client, tokens.refreshToken).then((answer: any) =>
      answer.body()
    )
    clock.advance(window())
    const { data: thiefs } = await refresh(client, tokens.refreshToken).then((answer: any) =>
      answer.body()
    )
    const used = await getAccount(client, thiefs.token)
    used.assertStatus(200)
    const refused = await getAccount(client, owners.token)
    assert.equal(codeOf(refused), CODES.expired)
    const found = await refresh(client, owners.refreshToken)
    assert.equal(codeOf(found), CODES.reused)
    const ended = await getAccount(client, thiefs.token)
    assert.equal(ended.body().errors[0].reason, 'token_reuse')
  })

  test('reuse after the window ends the session, logs it and mails the user', async ({
    client,
    assert,
    cleanup,
  }) => {
    const { tokens, session } = await signIn(await makeUser())
    const first = await refresh(client, tokens.refreshToken)
    await getAccount(client, first.body().data.token)
    clock.advance(window())
    const { mails } = mail.fake()
    cleanup(() => mail.restore())
    const reused = await refresh(client, tokens.refreshToken)
    reused.assertStatus(400)
    assert.equal(reused.body().errors[0].code, 'E_REFRESH_TOKEN_REUSED')
    await postman.deliver()
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

  test('a token that a password change replaced is late and no theft', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const { tokens } = await signIn(await makeUser())
    const change = await client
      .put('/api/v1/account/password')
      .bearerToken(tokens.token)
      .json({ currentPassword: PASSWORD, password: 'a quite different password' })
    change.assertStatus(200)
    for (const later of [0, sessionsConfig.refreshRetryWindow + 1]) {
      clock.advance(later)
      const late = await refresh(client, tokens.refreshToken)
      late.assertStatus(400)
      assert.equal(codeOf(late), 'E_INVALID_REFRESH_TOKEN')
    }
    const account = await client.get('/api/v1/account').bearerToken(change.body().data.token)
    account.assertStatus(200)
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
