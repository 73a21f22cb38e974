import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import bcrypt from 'bcrypt'
import { SignJWT } from 'jose'
import clock from '#app/clock'
import { deletions } from '#app/accounts/spent_legacy_tokens'
import legacyJwtConfig from '#config/legacy_jwt'
import legacyTokensConfig from '#config/legacy_tokens'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { jsonOfCommand } from '#tests/harness/command'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { issueOldToken, makeTokensTable } from '#tests/harness/old_tokens'
import { call } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'
import { makeClient } from '#tests/harness/service_clients'

const SECRET = 'the old system shared this secret'

/**
 * The steps of docs/moving_over.md, one after another, with one user.
 */
test.group('Moving over from JWTs', (group) => {
  let jwts: { phone: string; tablet: string }

  const oldToken = (email: string, jti: string) =>
    new SignJWT({ sub: email, jti })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt(Math.floor(clock.millis() / 1000) - 60)
      .setExpirationTime('90d')
      .sign(new TextEncoder().encode(SECRET))

  group.setup(async () => {
    await emptyDatabase()
    const config = { ...legacyJwtConfig }
    return () => {
      Object.assign(legacyJwtConfig, config)
      clock.restore()
    }
  })

  test('1. the users are here, with their passwords', async ({ client }) => {
    await makeUser({ email: 'ada@example.com' })
    const answer = await client
      .post('/api/v1/auth/login')
      .json({ email: 'ada@example.com', password: PASSWORD })
    answer.assertStatus(200)
    jwts = {
      phone: await oldToken('ada@example.com', 'phone'),
      tablet: await oldToken('ada@example.com', 'tablet'),
    }
  })

  test('2. the old token is described, and the door opens', async ({ client }) => {
    const closed = await client.post('/api/v1/auth/exchange').json({ jwt: jwts.phone })
    closed.assertStatus(404)
    Object.assign(legacyJwtConfig, {
      secret: SECRET,
      algorithms: ['HS256'],
      user: 'email',
      userClaim: 'sub',
      until: new Date(clock.millis() + 86_400_000),
    })
  })

  test('3. an old token is none of ours: the resource server checks it the old way', async ({
    client,
  }) => {
    const answer = await client.get('/api/v1/account').bearerToken(jwts.phone)
    answer.assertStatus(401)
  })

  test('4. the client trades its JWT for a session, once', async ({ client, assert }) => {
    const answer = await client
      .post('/api/v1/auth/exchange')
      .json({ jwt: jwts.phone, device: { id: 'phone', name: 'Phone', platform: 'ios' } })
    answer.assertStatus(200)
    const account = await client.get('/api/v1/account').bearerToken(answer.body().data.token)
    account.assertStatus(200)
    const copy = await client.post('/api/v1/auth/exchange').json({ jwt: jwts.phone })
    copy.assertStatus(400)
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
  })

  test('5. after a force logout no older JWT becomes a session', async ({ client }) => {
    await forceLogout({ who: 'everyone', actor: 'command:test' })
    const answer = await client.post('/api/v1/auth/exchange').json({ jwt: jwts.tablet })
    answer.assertStatus(400)
  })

  test('6. on the day the door closes', async ({ client }) => {
    clock.freeze()
    clock.advance(1000)
    const fresh = await new SignJWT({ sub: 'ada@example.com' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt(Math.floor(clock.millis() / 1000) + 5)
      .sign(new TextEncoder().encode(SECRET))
    const { until } = legacyJwtConfig
    legacyJwtConfig.until = clock.now()
    const closed = await client.post('/api/v1/auth/exchange').json({ jwt: fresh })
    closed.assertStatus(400)
    legacyJwtConfig.until = until
    const before = await client.post('/api/v1/auth/exchange').json({ jwt: fresh })
    before.assertStatus(200)
  })
})

/**
 * The same steps with tokens of Sanctum, whose table stands in this database.
 */
test.group('Moving over from Laravel Sanctum', (group) => {
  const TABLE = 'personal_access_tokens'
  let tokens: { phone: string; tablet: string; late: string }

  group.setup(async () => {
    await emptyDatabase()
    await makeTokensTable(db.connection(), 'sanctum', TABLE)
    const config = { ...legacyTokensConfig }
    return async () => {
      await deletions.settled()
      await db.connection().schema.dropTable(TABLE)
      Object.assign(legacyTokensConfig, { connection: undefined, until: undefined }, config)
      clock.restore()
    }
  })

  const exchange = (client: any, token: string, id = 'phone') =>
    client.post('/api/v1/auth/exchange').json({ token, device: { id } })

  test('1. the users come along, with the hashes of Laravel', async ({ client, assert }) => {
    const hash = await bcrypt.hash(PASSWORD, 10)
    const user = {
      externalId: '7',
      email: 'ada@example.com',
      passwordHash: hash.replace('$2b', '$2y'),
    }
    const report = await jsonOfCommand(['user:import', '-'], { input: JSON.stringify(user) })
    assert.equal(report.created, 1)
    const answer = await client
      .post('/api/v1/auth/login')
      .json({ email: 'ada@example.com', password: PASSWORD })
    answer.assertStatus(200)
    const issue = () => issueOldToken(db.connection(), 'sanctum', TABLE, 7)
    tokens = { phone: await issue(), tablet: await issue(), late: await issue() }
  })

  test('2. the old token is described, and the door opens', async ({ client }) => {
    const closed = await exchange(client, tokens.phone)
    closed.assertStatus(404)
    Object.assign(legacyTokensConfig, {
      kind: 'sanctum',
      table: TABLE,
      model: 'App\\Models\\User',
      user: 'external',
      maxAge: 90 * 86_400_000,
      until: new Date(clock.millis() + 86_400_000),
    })
  })

  test('3. an old token is none of ours: the resource server checks it the old way', async ({
    client,
  }) => {
    const answer = await client.get('/api/v1/account').bearerToken(tokens.phone)
    /** Its bar is no character of a bearer token (RFC 6750 §2.1). */
    answer.assertStatus(400)
  })

  test('4. the client trades its token for a session, once', async ({ client, assert }) => {
    const answer = await exchange(client, tokens.phone)
    answer.assertStatus(200)
    const account = await client.get('/api/v1/account').bearerToken(answer.body().data.token)
    account.assertStatus(200)
    const copy = await exchange(client, tokens.phone)
    copy.assertStatus(400)
    const tablet = await exchange(client, tokens.tablet, 'tablet')
    assert.equal(tablet.body().data.endedSessions[0].reason, 'superseded')
    await deletions.settled()
    assert.equal(await countRows(TABLE), 1)
  })

  test('5. after a force logout no older token becomes a session', async ({ client }) => {
    await forceLogout({ who: 'everyone', actor: 'command:test' })
    const answer = await exchange(client, tokens.late)
    answer.assertStatus(400)
  })

  test('6. on the day the door closes', async ({ client }) => {
    clock.freeze()
    clock.advance(120_000)
    const fresh = await issueOldToken(db.connection(), 'sanctum', TABLE, 7)
    const { until } = legacyTokensConfig
    legacyTokensConfig.until = clock.now()
    const closed = await exchange(client, fresh)
    closed.assertStatus(400)
    legacyTokensConfig.until = until
    const before = await exchange(client, fresh)
    before.assertStatus(200)
  })
})

/**
 * The last part of the page: the team's login decides who somebody is.
 */
test.group('Moving over with a login of one’s own', (group) => {
  let backend: { id: string; basic: string }
  let first: string
  let second: string
  const old = { sessionOf: 42, startedAt: new Date(Date.now() - 86_400_000).toISOString() }

  group.setup(() => emptyDatabase())

  /** What the team's backend does once it knows who somebody is. */
  const open = (client: any, id: string, more: object = {}) =>
    client
      .post('/api/v1/sessions')
      .header('authorization', backend.basic)
      .json({
        user: { externalId: '42', email: 'ada@example.com' },
        create: true,
        device: { id },
        ip: '203.0.113.7',
        userAgent: 'TheirApp/1.0',
        ...more,
      })

  test('1. a client of the backend may sign people in', async ({ assert }) => {
    backend = await makeClient(['sign_in', 'introspect'])
    assert.isString(backend.id)
  })

  test('2. its login hands the session on, and the first sight of an id makes the account', async ({
    client,
    assert,
  }) => {
    const answer = await open(client, 'phone')
    answer.assertStatus(200)
    first = answer.body().data.token
    assert.equal(answer.body().data.session.ip, '203.0.113.7')
    assert.equal(await countRows('users', { external_id: '42' }), 1)
  })

  test('3. who was signed in there stays so: the session is as old as that sign-in', async ({
    client,
    assert,
  }) => {
    const answer = await open(client, 'tablet', { authenticatedAt: old.startedAt })
    answer.assertStatus(200)
    second = answer.body().data.token
    assert.equal(answer.body().data.session.authenticatedAt, old.startedAt)
    assert.equal(await countRows('users'), 1)
  })

  test('4. the API asks who a token is, and the second device has ended the first', async ({
    client,
    assert,
  }) => {
    const ask = async (token: string) => {
      const answer = await client
        .post('/oauth/introspect')
        .header('authorization', backend.basic)
        .form({ token, used: 'true' })
      return answer.body()
    }
    assert.deepEqual(await ask(first), { active: false })
    assert.equal((await ask(second)).external_id, String(old.sessionOf))
  })

  test('5. there is no second way in', async ({ assert, cleanup }) => {
    const server = await startServer({ env: { PASSWORD_SIGN_IN: 'off' } })
    cleanup(() => server.stop())
    /** Not held against the document, which has no such route then. */
    const login = await fetch(`${server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    assert.equal(login.status, 404)
    assert.equal((await call(server.url, 'GET', '/api/v1/account', { token: second })).status, 200)
  }).timeout(60_000)
})
