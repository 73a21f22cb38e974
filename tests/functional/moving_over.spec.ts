import { test } from '@japa/runner'
import { SignJWT } from 'jose'
import clock from '#app/clock'
import legacyJwtConfig from '#config/legacy_jwt'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

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
