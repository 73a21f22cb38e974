import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose'
import clock from '#app/clock'
import legacyJwtConfig from '#config/legacy_jwt'
import accountsConfig from '#config/accounts'
import sessionsConfig from '#config/sessions'
import User from '#models/user'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, signIn } from '#tests/harness/accounts'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { countRows, emptyDatabase } from '#tests/harness/database'

const SECRET = 'the old system shared this secret'

/**
 * A token as the old system issued it.
 */
function oldToken(user: User, claims: Record<string, unknown> = {}, secret = SECRET) {
  const now = Math.floor(clock.millis() / 1000)
  return new SignJWT({
    sub: user.email!,
    iss: 'https://old.example.com',
    aud: 'api',
    iat: now - 60,
    exp: now + 3600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test.group('Exchange of old tokens', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const config = { ...legacyJwtConfig }
    const policy = { ...sessionsConfig }
    Object.assign(legacyJwtConfig, {
      secret: SECRET,
      jwks: undefined,
      issuer: 'https://old.example.com',
      audience: 'api',
      algorithms: ['HS256'],
      user: 'email',
      userClaim: 'sub',
      until: new Date(clock.millis() + 86_400_000),
    })
    return () => {
      Object.assign(legacyJwtConfig, config)
      Object.assign(sessionsConfig, policy)
      clock.restore()
    }
  })

  const post = (client: any, jwt: unknown, device?: object) =>
    client.post('/api/v1/auth/exchange').json({ jwt, device })

  test('the session is as fresh as the old sign-in: {0}')
    .with([
      ['auth_time', { auth_time: 1_000_000_000 }, 1_000_000_000_000],
      ['iat', { iat: 1_100_000_000 }, 1_100_000_000_000],
      ['neither', { iat: undefined }, 0],
    ] as const)
    .run(async ({ client, assert }, [, claims, at]) => {
      const answer = await post(client, await oldToken(await makeUser(), claims))
      answer.assertStatus(200)
      const { token, session } = answer.body().data
      assert.equal(Date.parse(session.authenticatedAt), at)
      const key = await client.post('/api/v1/api-keys').bearerToken(token).json({ name: 'Export' })
      assert.equal(key.body().errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
    })

  test('a token that was issued later than now is refused', async ({ client }) => {
    const later = Math.floor(clock.millis() / 1000) + 60
    const answer = await post(client, await oldToken(await makeUser(), { iat: later }))
    answer.assertStatus(400)
  })

  test('a new device is told by mail, as of any sign-in', async ({ client, assert, cleanup }) => {
    sessionsConfig.notifyNewDevice = true
    sessionsConfig.limit = 0
    const mailbox = openMailbox()
    cleanup(async () => {
      await mailbox.read()
      mailbox.close()
    })
    const user = await makeUser()
    const exchange = async (jti: string, id: string) => {
      const answer = await post(client, await oldToken(user, { jti }), { id })
      answer.assertStatus(200)
    }
    await exchange('one', 'phone')
    await exchange('two', 'tablet')
    await exchange('three', 'phone')
    const mails = await mailbox.read()
    assert.deepEqual(
      mails.map(({ to, subject }) => [to, subject]),
      Array(2).fill([user.email, 'A sign-in on a new device'])
    )
  })

  test('the right one becomes a session under the policy, once', async ({ client, assert }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const jwt = await oldToken(user)

    const answer = await post(client, jwt, { name: 'Phone', platform: 'ios' })
    answer.assertStatus(200)
    const { data } = answer.body()
    assert.equal(data.user.id, user.id)
    assert.equal(data.endedSessions[0].reason, 'superseded')
    assert.equal(data.session.device.name, 'Phone')
    const evicted = await client.get('/api/v1/account').bearerToken(tokens.token)
    assert.equal(evicted.body().errors[0].reason, 'superseded')

    const again = await post(client, jwt)
    again.assertStatus(400)
    assert.equal(again.body().errors[0].code, 'E_INVALID_CREDENTIALS')
    const alive = await client.get('/api/v1/account').bearerToken(data.token)
    alive.assertStatus(200)
  })

  test('of 50 at once with one token, one is signed in', async ({ client, assert }) => {
    const user = await makeUser()
    const jwt = await oldToken(user)
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(client, jwt)))
    const statuses = answers.map((answer) => answer.status())
    assert.lengthOf(
      statuses.filter((status) => status === 200),
      1
    )
    assert.lengthOf(
      statuses.filter((status) => status === 400),
      49
    )
    assert.equal(await countRows('sessions'), 1)
  })

  test('the claim means what LEGACY_JWT_USER says ({$self}), and nothing else')
    .with(['email', 'id', 'external'] as const)
    .run(async ({ client, assert }, meaning) => {
      legacyJwtConfig.user = meaning
      const user = await makeUser()
      const [bystander, other] = [await makeUser({ role: 'admin' }), await makeUser()]
      await user.merge({ externalId: String(bystander.id) }).save()
      await other.merge({ externalId: 'a@b' }).save()

      const claims = {
        email: [user.email, ` ${user.email.toUpperCase()}`],
        id: [user.id, String(user.id)],
        external: [user.externalId!, Number(user.externalId)],
      }
      for (const sub of Object.values(claims).flat()) {
        const answer = await post(client, await oldToken(user, { sub }))
        const right = claims[meaning].some((claim) => claim === sub)
        /** The same number is another user's id: it may sign that one in, never this one. */
        const signsInBystander = meaning === 'id' && String(sub) === String(bystander.id)
        answer.assertStatus(right || signsInBystander ? 200 : 400)
        if (right) assert.equal(answer.body().data.user.id, user.id)
      }
    })

  test(
    'an account that awaits its verification is not taken, and the token stays (email_verified: {$self})'
  )
    .with([undefined, true])
    .run(async ({ client, assert, cleanup }, verified) => {
      const { verifiesEmail } = accountsConfig
      const mailbox = openMailbox()
      cleanup(async () => {
        accountsConfig.verifiesEmail = verifiesEmail
        await mailbox.read()
        mailbox.close()
      })
      accountsConfig.verifiesEmail = true
      const email = 'vic@example.com'
      await client
        .post('/api/v1/auth/signup')
        .json({ email, password: 'the password of a stranger' })
      const waiting = await User.findByOrFail({ email })
      const jwt = await oldToken(waiting, { email_verified: verified })
      const refused = await post(client, jwt)
      refused.assertStatus(400)
      assert.equal(refused.body().errors[0].code, 'E_INVALID_CREDENTIALS')
      assert.equal(await countRows('sessions'), 0)

      const [mail] = await mailbox.read()
      await client.post('/api/v1/auth/email/confirm').json({ token: tokenIn(mail.text) })
      const accepted = await post(client, jwt)
      accepted.assertStatus(200)
    })

  test('what is no address is nobody: {$self}')
    .with(['a@example.com/evil', 'a@ex%61mple.com', 'a@example.com#', 'ı@example.com'])
    .run(async ({ client }, sub) => {
      await makeUser({ email: 'a@example.com' })
      await makeUser({ email: 'i@example.com' })
      const refused = await post(client, await oldToken(await makeUser(), { sub }))
      refused.assertStatus(400)
    })

  test('an external id that none can have is nobody')
    .with(['', ' ', 'ü', 'a\u0000b', 'x'.repeat(256)])
    .run(async ({ client }, sub) => {
      legacyJwtConfig.user = 'external'
      const answer = await post(client, await oldToken(await makeUser(), { sub }))
      answer.assertStatus(400)
    })

  test('a number that JSON rounds is nobody: the next one reads the same')
    .with([2 ** 53, 1e21, 7.5])
    .run(async ({ client }, sub) => {
      legacyJwtConfig.user = 'external'
      const user = await makeUser()
      await user.merge({ externalId: String(sub) }).save()
      const answer = await post(client, await oldToken(user, { sub }))
      answer.assertStatus(400)
    })

  test('a verified e-mail, and one of which nothing is said, are believed')
    .with([true, 'true', undefined])
    .run(async ({ client }, verified) => {
      const jwt = await oldToken(await makeUser(), { email_verified: verified })
      const answer = await post(client, jwt)
      answer.assertStatus(200)
    })

  test('{0} is refused and opens nothing')
    .with([
      ['a wrong signature', (user: User) => oldToken(user, {}, 'another secret altogether')],
      ['an expired token', (user: User) => oldToken(user, { exp: 1 })],
      ['another issuer', (user: User) => oldToken(user, { iss: 'https://evil.example.com' })],
      ['another audience', (user: User) => oldToken(user, { aud: 'other' })],
      ['no audience', (user: User) => oldToken(user, { aud: undefined })],
      ['an unknown user', (user: User) => oldToken(user, { sub: 'nobody@example.com' })],
      ['a user that is an object', (user: User) => oldToken(user, { sub: { id: 1 } })],
      ['an unverified e-mail', (user: User) => oldToken(user, { email_verified: false })],
      ['the same as text', (user: User) => oldToken(user, { email_verified: 'false' })],
      ['the same as a number', (user: User) => oldToken(user, { email_verified: 0 })],
      ['the same as nothing', (user: User) => oldToken(user, { email_verified: null })],
      ['the same as other text', (user: User) => oldToken(user, { email_verified: 'False' })],
      ['the same as a list', (user: User) => oldToken(user, { email_verified: [true] })],
      ['a token of the future', (user: User) => oldToken(user, { nbf: 99_999_999_999 })],
      [
        'no signature (alg none)',
        async (user: User) => {
          const jwt = await oldToken(user)
          const [, payload] = jwt.split('.')
          return `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`
        },
      ],
      [
        'a changed payload',
        async (user: User) => {
          const jwt = await oldToken(user)
          const [header, , signature] = jwt.split('.')
          return `${header}.${encode({ sub: user.email })}.${signature}`
        },
      ],
      ['nonsense', async () => 'nonsense'],
    ] as [string, (user: User) => Promise<string>][])
    .run(async ({ client, assert }, [, forge]) => {
      const user = await makeUser()
      const answer = await post(client, await forge(user))
      answer.assertStatus(400)
      assert.equal(answer.body().errors[0].code, 'E_INVALID_CREDENTIALS')
      assert.equal(await countRows('sessions'), 0)
      assert.equal(await countRows('exchanged_jwts'), 0)
    })

  test('a public key does not pass for a secret', async ({ client, assert, cleanup }) => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-jwks-'))
    cleanup(() => rmSync(directory, { recursive: true }))
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
    const jwks = join(directory, 'jwks.json')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'old', alg: 'RS256' }
    writeFileSync(jwks, JSON.stringify({ keys: [jwk] }))
    Object.assign(legacyJwtConfig, { secret: undefined, jwks, algorithms: ['RS256', 'HS256'] })

    const user = await makeUser()
    const confused = await oldToken(user, {}, await exportSPKI(publicKey))
    const refused = await post(client, confused)
    refused.assertStatus(400)
    assert.equal(await countRows('sessions'), 0)

    const genuine = await new SignJWT({
      sub: user.email!,
      iss: 'https://old.example.com',
      aud: 'api',
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'old' })
      .setIssuedAt()
      .sign(privateKey)
    const accepted = await post(client, genuine)
    accepted.assertStatus(200)
  })

  test('a key server that {0} is no verdict on the token')
    .with([
      ['answers 500', (answer) => answer.writeHead(500).end()],
      ['answers 404', (answer) => answer.writeHead(404).end('{}')],
      ['redirects to nowhere', (answer) => answer.writeHead(302, { location: 'http://[' }).end()],
      ['answers what is no JSON', (answer) => answer.end('<html>')],
      ['answers what is no key set', (answer) => answer.end('{"keys":1}')],
      ['cuts the connection', (answer) => answer.destroy()],
    ] as [string, (answer: ServerResponse) => void][])
    .run(async ({ client, assert, cleanup }, [, respond]) => {
      const server = createServer((_, answer) => respond(answer))
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      cleanup(() => void server.close())
      const { port } = server.address() as AddressInfo
      const jwks = `http://127.0.0.1:${port}/jwks.json`
      Object.assign(legacyJwtConfig, { secret: undefined, jwks, algorithms: ['RS256'] })

      const { publicKey, privateKey } = await generateKeyPair('RS256')
      const user = await makeUser()
      const claims = { sub: user.email, iss: 'https://old.example.com', aud: 'api' }
      const jwt = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'old' })
        .setIssuedAt()
        .sign(privateKey)
      const refused = await post(client, jwt)
      refused.assertStatus(503)
      assert.equal(refused.body().errors[0].code, 'E_UNAVAILABLE')
      assert.match(refused.header('retry-after')!, /^[1-9]\d*$/)

      const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'old' }] })
      server.removeAllListeners('request').on('request', (_, answer) => answer.end(keys))
      const accepted = await post(client, jwt)
      accepted.assertStatus(200)
    })

  test('a key file that {0} is no verdict on the token')
    .with([
      ['is missing', undefined],
      ['is no JSON', 'no json'],
      ['is no key set', '{}'],
    ] as [string, string | undefined][])
    .run(async ({ client, cleanup }, [, content]) => {
      const directory = mkdtempSync(join(tmpdir(), 'latchkey-jwks-'))
      cleanup(() => rmSync(directory, { recursive: true }))
      const jwks = join(directory, 'jwks.json')
      if (content) writeFileSync(jwks, content)
      Object.assign(legacyJwtConfig, { secret: undefined, jwks, algorithms: ['RS256'] })
      const { privateKey } = await generateKeyPair('RS256')
      const jwt = await new SignJWT({ sub: 'a@example.com' })
        .setProtectedHeader({ alg: 'RS256', kid: 'old' })
        .sign(privateKey)
      const refused = await post(client, jwt)
      refused.assertStatus(503)
    })

  test('an algorithm that is not on the list is refused', async ({ client }) => {
    legacyJwtConfig.algorithms = ['HS512']
    const answer = await post(client, await oldToken(await makeUser()))
    answer.assertStatus(400)
  })

  test('after a force logout of its user an older one is refused', async ({ client }) => {
    const user = await makeUser()
    const jwt = await oldToken(user)
    await forceLogout({ who: [user], actor: 'command:force:logout' })
    const refused = await post(client, jwt)
    refused.assertStatus(400)
    const stranger = await post(client, await oldToken(await makeUser()))
    stranger.assertStatus(200)
  })

  test('it works to the second before the date, and not on it', async ({ client }) => {
    const user = await makeUser()
    clock.freeze()
    const [first, second] = [await oldToken(user, { jti: 'a' }), await oldToken(user, { jti: 'b' })]
    legacyJwtConfig.until = new Date(clock.millis() + 2000)
    clock.advance(1000)
    const before = await post(client, first)
    before.assertStatus(200)
    clock.advance(1000)
    const after = await post(client, second)
    after.assertStatus(400)
  })

  test('a sign-in that the limit refuses does not spend the token', async ({ client }) => {
    const user = await makeUser()
    await signIn(user)
    sessionsConfig.onLimit = 'reject'
    const jwt = await oldToken(user)
    const refused = await post(client, jwt)
    refused.assertStatus(409)
    sessionsConfig.onLimit = 'evict'
    const accepted = await post(client, jwt)
    accepted.assertStatus(200)
  })

  test('without a date there is no such route', async ({ client }) => {
    legacyJwtConfig.until = undefined
    const answer = await post(client, 'x')
    answer.assertStatus(404)
  })
})
