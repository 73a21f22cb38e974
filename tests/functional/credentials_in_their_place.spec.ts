import { test } from '@japa/runner'
import router from '@adonisjs/core/services/router'
import { inTransaction } from '#app/database/transaction'
import { mintLink } from '#app/accounts/mailed_links'
import { tokenOfLink } from '#mails/link'
import { createApiKey } from '#app/api_keys/create_api_key'
import legacyJwtConfig from '#config/legacy_jwt'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { basicHeader, makeClient } from '#tests/harness/service_clients'

const server = `http://${process.env.HOST}:${process.env.PORT}`

const KINDS = [
  'access token',
  'refresh token',
  'API key',
  'reset token',
  'e-mail token',
  'client secret',
] as const

type Kind = (typeof KINDS)[number]
type Credentials = Record<Kind, string> & { clientId: string }

/**
 * Where a credential can stand in a request.
 */
type Place =
  | 'bearer'
  | 'Basic'
  | 'form client_secret'
  | 'body refreshToken'
  | 'body token'
  | 'body jwt'
  | 'query access_token'
  | 'cookie'

/**
 * A place of a route, the kinds that pass there, and what the others get.
 */
type Door = { place: Place; passes: Kind[]; refused: number[] }

const door = (place: Place, passes: Kind[], ...refused: number[]): Door => ({
  place,
  passes,
  refused,
})

/**
 * Doors that no route has (RFC 6750 §5.3: no tokens in URLs).
 */
const BY_OTHER_WAYS = [
  door('Basic', [], 401),
  door('query access_token', [], 401),
  door('cookie', [], 401),
]

const forSessions = [door('bearer', ['access token'], 401, 403), ...BY_OTHER_WAYS]
const forTokens = [door('bearer', ['access token', 'API key'], 401), ...BY_OTHER_WAYS]
const forAdministrators = [
  door('bearer', ['access token'], 401, 403),
  door('Basic', ['client secret'], 401),
  door('query access_token', [], 401),
  door('cookie', [], 401),
]
const forNone = [door('bearer', [], 401), ...BY_OTHER_WAYS]
const forClients = [
  door('Basic', ['client secret'], 401),
  door('bearer', [], 401),
  door('query access_token', [], 401),
]

/**
 * Every route that takes a credential.
 */
const ROUTES: Record<string, Door[]> = {
  'POST /api/v1/auth/exchange': [door('body jwt', [], 400)],
  'POST /api/v1/auth/refresh': [door('body refreshToken', ['refresh token'], 400)],
  'POST /api/v1/auth/logout': [...forSessions, door('body refreshToken', ['refresh token'], 400)],
  'POST /api/v1/auth/logout-others': forSessions,
  'POST /api/v1/auth/logout-all': forSessions,
  'POST /api/v1/auth/confirm': forSessions,
  'POST /api/v1/auth/password/reset': [door('body token', ['reset token'], 422)],
  'POST /api/v1/auth/email/confirm': [door('body token', ['e-mail token'], 422)],
  'GET /api/v1/account': forTokens,
  'PATCH /api/v1/account': forSessions,
  'DELETE /api/v1/account': forSessions,
  'PUT /api/v1/account/password': forSessions,
  'PUT /api/v1/account/email': forSessions,
  'GET /api/v1/account/events': forSessions,
  'GET /api/v1/sessions': forSessions,
  'GET /api/v1/session/events': forSessions,
  'POST /api/v1/sessions': forClients,
  'POST /api/v1/sessions/:id/confirm': forClients,
  'PATCH /api/v1/sessions/:id': forSessions,
  'DELETE /api/v1/sessions/:id': forSessions,
  'GET /api/v1/api-keys': forSessions,
  'POST /api/v1/api-keys': forSessions,
  'DELETE /api/v1/api-keys/:id': forSessions,
  'GET /api/v1/admin/users': forAdministrators,
  'POST /api/v1/admin/users': forAdministrators,
  'GET /api/v1/admin/users/:user': forAdministrators,
  'PATCH /api/v1/admin/users/:user': forAdministrators,
  'DELETE /api/v1/admin/users/:user': forAdministrators,
  'GET /api/v1/admin/users/:user/api-keys': forAdministrators,
  'DELETE /api/v1/admin/users/:user/api-keys': forAdministrators,
  'DELETE /api/v1/admin/users/:user/api-keys/:key': forAdministrators,
  'GET /api/v1/admin/clients': forAdministrators,
  'GET /api/v1/admin/users/:user/sessions': forAdministrators,
  'DELETE /api/v1/admin/users/:user/sessions': forAdministrators,
  'POST /api/v1/admin/users/:user/disable': forAdministrators,
  'POST /api/v1/admin/users/:user/enable': forAdministrators,
  'PATCH /api/v1/admin/users/:user/limit': forAdministrators,
  'POST /api/v1/admin/users/:user/support-session': forAdministrators,
  'GET /api/v1/admin/contested': forAdministrators,
  'DELETE /api/v1/admin/contested/:user': forAdministrators,
  'DELETE /api/v1/admin/sessions/:id': forAdministrators,
  'POST /api/v1/admin/force-logout': forAdministrators,
  'GET /api/v1/admin/events': forAdministrators,
  'GET /api/v1/revocations': forClients,
  'POST /oauth/introspect': [...forClients, door('form client_secret', ['client secret'], 401)],
  'POST /oauth/revoke': [...forClients, door('form client_secret', ['client secret'], 401)],
  'GET /forward-auth': forTokens,
  'GET /metrics': forNone,
}

/**
 * Routes that take none.
 */
const OPEN = [
  'POST /api/v1/auth/signup',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/password/forgot',
  'POST /api/v1/auth/email/verify',
  'GET /.well-known/oauth-authorization-server',
  'GET /oauth/:endpoint',
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  'GET /',
  'GET /reset-password',
  'GET /confirm-email',
  'GET /console/:file',
  'GET /docs',
  'GET /docs/:file',
]

/**
 * One credential of each kind, all of one admin, whom no role holds back.
 */
async function makeCredentials(): Promise<Credentials> {
  const user = await makeUser({ role: 'admin' })
  const { tokens, session } = await signIn(user)
  const { value } = await createApiKey(session, { name: 'Script' })
  const client = await makeClient()
  return {
    'access token': tokens.token,
    'refresh token': tokens.refreshToken!,
    'API key': value,
    'reset token': await inTransaction((trx) =>
      mintLink(trx, user, 'reset').then((made) => tokenOfLink(made!))
    ),
    'e-mail token': await inTransaction((trx) =>
      mintLink(trx, user, 'verify').then((made) => tokenOfLink(made!))
    ),
    'client secret': client.secret,
    'clientId': client.id,
  }
}

/**
 * The status of a request whose credential stands in the given place. Nothing else of the answer
 * is read: one of them is a stream that stays open.
 */
async function ask(route: string, place: Place, value: string, clientId: string) {
  const [method, pattern] = route.split(' ')
  const url = new URL(pattern.replace(/:\w+/g, '1'), server)
  const headers: Record<string, string> = {}
  let fields: Record<string, string> = {}

  if (place === 'bearer') headers.authorization = `Bearer ${value}`
  else if (place === 'Basic') headers.authorization = basicHeader(clientId, value)
  else if (place === 'query access_token') url.searchParams.set('access_token', value)
  else if (place === 'cookie') headers.cookie = `token=${value}; access_token=${value}`
  else if (place === 'form client_secret') fields = { client_id: clientId, client_secret: value }
  else fields = { [place.split(' ')[1]]: value, password: 'a quite different password' }

  const isForm = pattern.startsWith('/oauth/')
  if (isForm) fields = { token: 'none', ...fields }
  else headers['content-type'] = 'application/json'
  const body = isForm ? new URLSearchParams(fields) : JSON.stringify(fields)

  const response = await fetch(url, {
    method,
    headers,
    body: method === 'GET' ? undefined : body,
  })
  await response.body?.cancel()
  return response.status
}

/**
 * What a credential that works could have changed.
 */
async function traces() {
  return {
    sessions: await countRows('sessions', { ended_at: null }),
    tokens: await countRows('api_tokens'),
    ended: await countRows('ended_tokens'),
    resets: await countRows('password_resets'),
    events: await countRows('session_events'),
  }
}

test.group('Credentials in their place', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const config = { ...legacyJwtConfig }
    const until = new Date(Date.now() + 86_400_000)
    Object.assign(legacyJwtConfig, {
      secret: 'the old system shared this secret',
      user: 'email',
      until,
    })
    return () => {
      Object.assign(legacyJwtConfig, config)
    }
  })

  test('every route that is served is judged here, and no other', ({ assert }) => {
    const served = Object.values(router.toJSON())
      .flat()
      .map(({ methods, pattern }) => `${methods.includes('GET') ? 'GET' : methods[0]} ${pattern}`)
    const judged = [...Object.keys(ROUTES), ...OPEN]
    assert.deepEqual(
      served.filter((route) => !judged.includes(route)),
      [],
      'routes that nobody has judged'
    )
    assert.deepEqual(
      judged.filter((route) => !served.includes(route)),
      [],
      'routes that are missing'
    )
  })

  test('{$self} takes the right kind and no other')
    .with(Object.keys(ROUTES))
    .run(async ({ assert }, route) => {
      let credentials = await makeCredentials()
      for (const { place, passes, refused } of ROUTES[route]) {
        for (const kind of KINDS) {
          const before = await traces()
          const status = await ask(route, place, credentials[kind], credentials.clientId)
          const cell = `${kind} as ${place}: ${status}`
          if (passes.includes(kind)) {
            assert.isBelow(status, 500, cell)
            assert.notInclude([401, ...refused], status, cell)
            credentials = await makeCredentials()
          } else {
            assert.include(refused, status, cell)
            assert.deepEqual(await traces(), before, cell)
          }
        }
      }
    })

  test('nothing but tokens of people can be asked about or revoked: {$self}')
    .with([...KINDS])
    .run(async ({ assert }, kind) => {
      const credentials = await makeCredentials()
      const headers = {
        authorization: basicHeader(credentials.clientId, credentials['client secret']),
      }
      const body = () => new URLSearchParams({ token: credentials[kind] })
      const isToken = ['access token', 'refresh token', 'API key'].includes(kind)

      const asked = await fetch(`${server}/oauth/introspect`, {
        method: 'POST',
        headers,
        body: body(),
      })
      const { active } = (await asked.json()) as { active: boolean }
      assert.equal(active, isToken)

      const before = await traces()
      const revoked = await fetch(`${server}/oauth/revoke`, {
        method: 'POST',
        headers,
        body: body(),
      })
      assert.equal(revoked.status, 200)
      if (isToken) assert.notDeepEqual(await traces(), before)
      else assert.deepEqual(await traces(), before)
    })
})
