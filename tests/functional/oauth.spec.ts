import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import * as oauth from 'oauth4webapi'
import { keyLastUsed } from '#app/api_keys/last_used'
import clock from '#app/clock'
import { disableUser } from '#app/accounts/disabled_users'
import { issuer } from '#app/oauth/metadata'
import { revokeClient } from '#app/service_clients/service_client'
import sessionsConfig from '#config/sessions'
import { setWatermarkForEveryone } from '#app/watermarks/set_watermark'
import { lastSeen } from '#app/sessions/last_seen'
import { hashToken, mintToken } from '#app/tokens/token'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { keepPolicy } from '#tests/harness/policy'
import { basicHeader, makeClient } from '#tests/harness/service_clients'

const server = `http://${process.env.HOST}:${process.env.PORT}`

type Form = Record<string, string> | [string, string][]

/**
 * A form to `/oauth/*`, and what came back.
 */
async function post(path: string, form: Form, headers: Record<string, string> = {}) {
  const response = await fetch(`${server}/oauth/${path}`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}

function parse(text: string) {
  return text === '' ? null : JSON.parse(text)
}

/**
 * A stranger's client: it knows the metadata, an id and a secret.
 */
async function stranger(authentication: typeof oauth.ClientSecretBasic) {
  const { id, secret } = await makeClient()
  const insecure = { [oauth.allowInsecureRequests]: true }
  const found = await oauth.discoveryRequest(new URL(issuer), {
    ...insecure,
    algorithm: 'oauth2',
    [oauth.customFetch]: (url, options) => fetch(here(url), options as RequestInit),
  })
  const as = await oauth.processDiscoveryResponse(new URL(issuer), found)
  const options = {
    ...insecure,
    [oauth.customFetch]: (url: string, init: object) => fetch(here(url), init),
  }
  const client = { client_id: id }
  return {
    as,
    async introspect(token: string, hint?: string) {
      const additionalParameters = hint ? { token_type_hint: hint } : undefined
      const asked = { ...options, additionalParameters }
      const auth = authentication(secret)
      const response = await oauth.introspectionRequest(as, client, auth, token, asked)
      return oauth.processIntrospectionResponse(as, client, response)
    },
    async revoke(token: string) {
      const auth = authentication(secret)
      const response = await oauth.revocationRequest(as, client, auth, token, options)
      return oauth.processRevocationResponse(response)
    },
  }
}

/**
 * The test server is not where `APP_URL` says that the service is.
 */
const here = (url: string) => url.replace(issuer, server)

test.group('Introspection and revocation', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restorePolicy = keepPolicy()
    return () => {
      restorePolicy()
      clock.restore()
    }
  })

  for (const [method, authentication] of [
    ['HTTP Basic', oauth.ClientSecretBasic],
    ['the body', oauth.ClientSecretPost],
  ] as const) {
    test(`a stranger's client introspects and revokes, by ${method}`, async ({ assert }) => {
      const client = await stranger(authentication)
      const user = await makeUser()
      const { tokens, session } = await signIn(user)

      const active = await client.introspect(tokens.token)
      assert.deepEqual(active as object, {
        active: true,
        iss: issuer,
        sub: String(user.id),
        username: user.email,
        email_verified: false,
        iat: Math.floor(session.createdAt.getTime() / 1000),
        exp: Math.floor(tokens.expiresAt.getTime() / 1000),
        auth_time: Math.floor(session.authenticatedAt.getTime() / 1000),
        sid: session.id,
        scope: '*',
        token_type: 'Bearer',
      })

      await client.revoke(tokens.token)
      assert.deepEqual({ ...(await client.introspect(tokens.token)) }, { active: false })
      assert.deepEqual({ ...(await client.introspect(tokens.refreshToken!)) }, { active: false })
      const refused = await call(server, 'GET', '/api/v1/account', { token: tokens.token })
      assert.equal(refused.body.errors[0].reason, 'logged_out')
    })
  }

  test('a live refresh token is told without type and scope', async ({ assert }) => {
    const client = await stranger(oauth.ClientSecretBasic)
    const { tokens, session } = await signIn(await makeUser())
    const answer = await client.introspect(tokens.refreshToken!, 'refresh_token')
    assert.containsSubset(answer, { active: true, sid: session.id })
    assert.isUndefined(answer.token_type)
    assert.isUndefined(answer.scope)
  })

  test('an API key is told with its abilities and without a session', async ({ assert }) => {
    sessionsConfig.apiKeyAbilities = ['orders:read', 'orders:write']
    const client = await stranger(oauth.ClientSecretBasic)
    const user = await makeUser()
    const key = await makeApiKey(user, ['orders:read', 'orders:write', 'billing'])
    const answer = await client.introspect(key)
    assert.containsSubset(answer, { active: true, scope: 'orders:read orders:write' })
    for (const claim of ['sid', 'exp', 'auth_time', 'external_id']) {
      assert.isUndefined(answer[claim], claim)
    }
    const all = await client.introspect(await makeApiKey(user, ['*']))
    assert.equal(all.scope, 'orders:read orders:write')
    sessionsConfig.apiKeyAbilities = ['billing']
    const later = await client.introspect(key)
    assert.equal(later.scope, 'billing')

    await client.revoke(key)
    assert.deepEqual({ ...(await client.introspect(key)) }, { active: false })
    assert.equal(await countRows('api_tokens', { hash: hashToken(key) }), 0)
  })

  test('who another system knows is told by its name there', async ({ assert }) => {
    const client = await stranger(oauth.ClientSecretBasic)
    const user = await makeUser()
    await db.from('users').where('id', user.id).update({ external_id: 'crm|7' })
    const { tokens } = await signIn(user)
    const answer = await client.introspect(tokens.token)
    assert.equal(answer.external_id, 'crm|7')
  })

  test('no exp lies beyond the time at which the session goes idle', async ({ assert }) => {
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    sessionsConfig.idleTimeout = 600_000
    const client = await stranger(oauth.ClientSecretBasic)
    const { tokens } = await signIn(await makeUser())
    clock.advance(60_000)
    const idleAt = Date.parse('2026-03-01T12:10:00Z') / 1000
    const access = await client.introspect(tokens.token)
    assert.equal(access.exp, idleAt)
    const refresh = await client.introspect(tokens.refreshToken!)
    assert.equal(refresh.exp, idleAt)
  })

  test('used=true counts as use, of a session as of a key, and nothing else does', async ({
    assert,
  }) => {
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    sessionsConfig.idleTimeout = 600_000
    const { basic } = await makeClient()
    const user = await makeUser()
    const { tokens, session } = await signIn(user)
    const key = await makeApiKey(user, ['account:read'])
    const introspect = (token: string, used?: string) =>
      post('introspect', { token, ...(used && { used }) }, { authorization: basic })
    const written = async () => {
      await lastSeen.flush({ everything: true })
      await keyLastUsed.flush({ everything: true })
      const { last_seen_at: seen } = await db.from('sessions').where('id', session.id).firstOrFail()
      const { last_used_at: used } = await db
        .from('api_tokens')
        .where('hash', hashToken(key))
        .firstOrFail()
      return [new Date(seen), used && new Date(used)]
    }

    clock.advance(60_000)
    for (const [token, used] of [
      [tokens.token, undefined],
      [tokens.token, 'false'],
      [tokens.refreshToken!, 'true'],
      [key, undefined],
    ] as const) {
      const unused = await introspect(token, used)
      assert.isTrue(unused.body.active)
    }
    assert.deepEqual(await written(), [session.createdAt, null])
    for (const token of [tokens.token, key]) await introspect(token, 'true')
    assert.deepEqual(await written(), [clock.now(), clock.now()])

    clock.advance(599_000)
    const late = await introspect(tokens.token, 'true')
    assert.isTrue(late.body.active)
    clock.advance(599_000)
    const prolonged = await introspect(tokens.token)
    assert.isTrue(prolonged.body.active)
  })

  test('a token that is bound to a key is told with the key', async ({ assert }) => {
    const client = await stranger(oauth.ClientSecretBasic)
    const keyThumbprint = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'
    const { tokens } = await signIn(await makeUser(), { keyThumbprint })
    const answer = await client.introspect(tokens.token)
    assert.containsSubset(answer, { token_type: 'DPoP', cnf: { jkt: keyThumbprint } })
  })

  test('a wrong hint changes nothing', async ({ assert }) => {
    const client = await stranger(oauth.ClientSecretBasic)
    const { tokens } = await signIn(await makeUser())
    for (const hint of ['refresh_token', 'access_token', 'saml2']) {
      const answer = await client.introspect(tokens.token, hint)
      assert.isTrue(answer.active, hint)
    }
  })

  test('every dead kind is inactive and nothing else', async ({ assert }) => {
    clock.freeze()
    sessionsConfig.limit = 10
    const { basic } = await makeClient()
    const dead: Record<string, string> = { unknown: mintToken('access'), junk: 'oat_', odd: '☃' }

    const ended = await signIn(await makeUser())
    await call(server, 'POST', '/api/v1/auth/logout', { token: ended.tokens.token })
    dead.ended = ended.tokens.token
    dead.refreshOfEnded = ended.tokens.refreshToken!

    const renewed = await signIn(await makeUser())
    const answer = await call(server, 'POST', '/api/v1/auth/refresh', {
      body: { refreshToken: renewed.tokens.refreshToken },
    })
    assert.equal(answer.status, 200)
    dead.spent = renewed.tokens.refreshToken!
    dead.rotated = renewed.tokens.token

    const disabled = await makeUser()
    const disabledSession = await signIn(disabled)
    await disableUser(disabled.id, { actor: 'system', note: null })
    dead.disabled = disabledSession.tokens.token

    const cut = await signIn(await makeUser())
    await setWatermarkForEveryone(
      { reason: 'forced', actor: 'system', includeApiKeys: true },
      async () => {}
    )
    dead.cutOff = cut.tokens.token
    dead.refreshOfCutOff = cut.tokens.refreshToken!

    const scripted = await makeUser()
    dead.expiredKey = await makeApiKey(scripted, ['*'], clock.now())
    const late = await signIn(await makeUser())
    const idle = await signIn(await makeUser())
    dead.expired = late.tokens.token
    clock.advance(sessionsConfig.accessTokenTtl)
    for (const [kind, token] of Object.entries(dead)) {
      const told = await post('introspect', { token }, { authorization: basic })
      assert.equal(told.status, 200, kind)
      assert.equal(told.text, '{"active":false}', kind)
    }
    clock.advance(sessionsConfig.idleTimeout)
    const told = await post(
      'introspect',
      { token: idle.tokens.refreshToken! },
      { authorization: basic }
    )
    assert.equal(told.text, '{"active":false}')
  })

  test('asking moves no idle time and writes nothing', async ({ assert }) => {
    const { basic } = await makeClient()
    const { tokens, session } = await signIn(await makeUser())
    await lastSeen.flush({ everything: true })
    const before = await snapshot()
    clock.freeze(new Date(Date.now() + 10 * 60_000))
    const told = await post('introspect', { token: tokens.token }, { authorization: basic })
    assert.isTrue(told.body.active)
    await lastSeen.flush({ everything: true })
    assert.deepEqual(lastSeen.latest(session.id, session.lastSeenAt), session.lastSeenAt)
    assert.equal(await snapshot(), before)
  })

  test('unknown tokens revoke to 200, and nothing is written', async ({ assert }) => {
    const { basic } = await makeClient()
    const before = await snapshot()
    for (const token of [mintToken('access'), mintToken('refresh'), 'nonsense']) {
      const told = await post('revoke', { token }, { authorization: basic })
      assert.equal(told.status, 200)
      assert.equal(told.text, '')
    }
    assert.equal(await snapshot(), before)
  })

  test('the current tokens of a live session are revoked after their expiry too', async ({
    assert,
  }) => {
    clock.freeze()
    const { basic } = await makeClient()
    const { tokens } = await signIn(await makeUser())
    clock.advance(sessionsConfig.accessTokenTtl)
    await post('revoke', { token: tokens.token }, { authorization: basic })
    const told = await call(server, 'GET', '/api/v1/account', { token: tokens.token })
    assert.equal(told.body.errors[0].reason, 'logged_out')
  })

  test('the log names the service that revoked', async ({ assert }) => {
    const { id, basic } = await makeClient()
    const { tokens } = await signIn(await makeUser())
    await post('revoke', { token: tokens.refreshToken! }, { authorization: basic })
    const told = await db.from('session_events').where('type', 'session.ended').firstOrFail()
    assert.equal(told.actor, `service_client:${id}`)
    assert.equal(told.reason, 'logged_out')
  })

  test('who asks must be known: wrong secret, unknown, revoked, nobody', async ({ assert }) => {
    const { id, secret } = await makeClient()
    const other = await makeClient()
    await revokeClient(other.id, 'system')
    const { tokens } = await signIn(await makeUser())
    const form = { token: tokens.token }
    for (const path of ['introspect', 'revoke']) {
      const answers = {
        wrongSecret: await post(path, form, { authorization: basicHeader(id, `${secret}x`) }),
        othersSecret: await post(path, form, { authorization: basicHeader(id, other.secret) }),
        unknown: await post(path, form, {
          authorization: basicHeader(mintToken('access'), secret),
        }),
        revoked: await post(path, form, { authorization: other.basic }),
        noSecret: await post(path, { ...form, client_id: id }),
        wrongInBody: await post(path, { ...form, client_id: id, client_secret: 'x' }),
        bearer: await post(path, form, { authorization: `Bearer ${tokens.token}` }),
        malformed: await post(path, form, { authorization: 'Basic %%%' }),
        nobody: await post(path, form),
      }
      for (const [kind, { status, headers, body }] of Object.entries(answers)) {
        assert.equal(status, 401, kind)
        assert.equal(body.error, 'invalid_client', kind)
        assert.match(headers.get('www-authenticate')!, /^Basic realm="latchkey"/, kind)
      }
    }
    const alive = await call(server, 'GET', '/api/v1/account', { token: tokens.token })
    assert.equal(alive.status, 200)
  })

  test('a client says who it is once', async ({ assert }) => {
    const { id, secret, basic } = await makeClient()
    const { tokens } = await signIn(await makeUser())
    const both = { token: tokens.token, client_id: id, client_secret: secret }
    const told = await post('introspect', both, { authorization: basic })
    assert.equal(told.status, 400)
    assert.equal(told.body.error, 'invalid_request')

    const same = await post(
      'introspect',
      { token: tokens.token, client_id: id },
      { authorization: basic }
    )
    assert.equal(same.status, 200)
  })

  test('a client without the ability is told so', async ({ assert }) => {
    const { basic } = await makeClient(['introspect'])
    const { tokens } = await signIn(await makeUser())
    const told = await post('revoke', { token: tokens.token }, { authorization: basic })
    assert.equal(told.status, 400)
    assert.equal(told.body.error, 'unauthorized_client')
  })

  test('what is no such request is refused in the words of OAuth', async ({ assert }) => {
    const { basic } = await makeClient()
    const authorization = { authorization: basic }
    const twice: [string, string][] = [
      ['token', 'a'],
      ['token', 'b'],
    ]
    const missing = await post('introspect', {}, authorization)
    const empty = await post('introspect', { token: '' }, authorization)
    const repeated = await post('revoke', twice, authorization)
    for (const answer of [missing, empty, repeated]) {
      assert.equal(answer.status, 400)
      assert.equal(answer.body.error, 'invalid_request')
      assert.isString(answer.body.error_description)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    }

    const json = await fetch(`${server}/oauth/introspect`, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/json' },
      body: '{"token":"a"}',
    })
    assert.equal(json.status, 415)
    assert.containsSubset(await json.json(), { error: 'invalid_request' })

    for (const path of ['introspect?token=oat_x', 'revoke']) {
      const got = await fetch(`${server}/oauth/${path}`, { headers: authorization })
      assert.equal(got.status, 405)
      assert.equal(got.headers.get('allow'), 'POST')
      assert.containsSubset(await got.json(), { error: 'invalid_request' })
    }
  })

  test('the metadata states what is true', async ({ client, assert }) => {
    const answer = await client.get('/.well-known/oauth-authorization-server')
    answer.assertStatus(200)
    const metadata = answer.body()
    assert.equal(metadata.issuer, process.env.APP_URL)
    assert.equal(metadata.introspection_endpoint, `${issuer}/oauth/introspect`)
    assert.isUndefined(metadata.token_endpoint)
    assert.deepEqual(metadata.grant_types_supported, [])
  })
})
