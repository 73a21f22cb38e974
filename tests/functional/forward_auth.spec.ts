import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { test } from '@japa/runner'
import * as DPoP from 'dpop'
import db from '@adonisjs/lucid/services/db'
import { IDENTITY_HEADERS } from '#app/forward_auth/identity_headers'
import sessionsConfig from '#config/sessions'
import { mintToken } from '#app/tokens/token'
import clock from '#app/clock'
import { trustProxies } from '#tests/harness/trusted_proxies'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

const server = `http://${process.env.HOST}:${process.env.PORT}`

function ask(
  method: string,
  headers: Record<string, string | string[]>,
  body?: string,
  query = ''
) {
  return new Promise<{ status: number; headers: Record<string, any>; body: string }>(
    (resolve, reject) => {
      const asked = request(`${server}/forward-auth${query}`, { method, headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk))
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, body: text })
        )
      })
      asked.on('error', reject).end(body)
    }
  )
}

test.group('Forward auth', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restorePolicy = keepPolicy()
    return () => {
      restorePolicy()
      clock.restore()
    }
  })

  test('says who speaks, whatever the method and body', async ({ assert }) => {
    const user = await makeUser()
    const { tokens, session } = await signIn(user)
    const authorization = `Bearer ${tokens.token}`
    const bodies: [string, Record<string, string>, string?][] = [
      ['GET', {}],
      ['HEAD', {}],
      ['DELETE', {}],
      ['OPTIONS', { 'origin': 'https://evil.example', 'access-control-request-method': 'GET' }],
      ['POST', { 'content-type': 'text/xml' }, '<not json>'],
      ['POST', { 'content-type': 'application/json' }, '{ not json'],
      ['PUT', { 'content-type': 'multipart/form-data; boundary=x' }, '--x'],
      ['PATCH', { 'content-type': 'application/json' }, 'x'.repeat(200_000)],
    ]
    for (const [method, headers, body] of bodies) {
      const answer = await ask(method, { authorization, ...headers }, body)
      assert.equal(answer.status, 200, method)
      assert.equal(answer.body, '')
      assert.containsSubset(answer.headers, {
        'x-auth-user-id': String(user.id),
        'x-auth-user-email': user.email,
        'x-auth-session-id': session.id,
        'x-auth-abilities': '*',
      })
    }
  })

  test('every header is in every answer, whatever is known', async ({ assert }) => {
    clock.freeze(new Date('2026-03-01T12:00:00.900Z'))
    const user = await makeUser({ role: 'admin' })
    const externalId = 'crm|7 %2F;x'
    await db.from('users').where('id', user.id).update({ external_id: externalId })
    const { tokens, session } = await signIn(user)
    clock.advance(60_000)
    const key = await makeApiKey(user, ['*'])
    const about = {
      'x-auth-user-id': String(user.id),
      'x-auth-external-id': 'crm%7C7%20%252F%3Bx',
      'x-auth-user-email': user.email,
      'x-auth-user-email-verified': 'false',
      'x-auth-user-role': 'admin',
      'x-auth-actor': '',
    }
    const time = String(Date.parse('2026-03-01T12:00:00Z') / 1000)
    const told = {
      [tokens.token]: {
        ...about,
        'x-auth-session-id': session.id,
        'x-auth-abilities': '*',
        'x-auth-time': time,
      },
      [key]: {
        ...about,
        'x-auth-session-id': '',
        'x-auth-abilities': 'account:read',
        'x-auth-time': '',
      },
    }
    assert.equal(decodeURIComponent(about['x-auth-external-id']), externalId)
    for (const [token, expected] of Object.entries(told)) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
        const { headers } = await ask(method, { authorization: `Bearer ${token}` })
        const identity = Object.entries(headers).filter(([name]) => name.startsWith('x-auth-'))
        assert.deepEqual(Object.fromEntries(identity), expected)
      }
    }
  })

  test('a key says what is configured at that moment, whatever it was made with', async ({
    assert,
  }) => {
    const user = await makeUser()
    const chosen = await makeApiKey(user, [
      'admin:write',
      'orders:read',
      'account:read',
      '__proto__',
    ])
    const all = await makeApiKey(user, ['*', 'admin:write'])
    const abilities = async (key: string) => {
      const { status, headers } = await ask('GET', { authorization: `Bearer ${key}` })
      assert.equal(status, 200)
      return headers['x-auth-abilities']
    }
    assert.equal(await abilities(chosen), 'account:read')
    assert.equal(await abilities(all), 'account:read')
    sessionsConfig.apiKeyAbilities = ['orders:read', 'orders:write']
    assert.equal(await abilities(chosen), 'orders:read')
    assert.equal(await abilities(all), 'orders:read orders:write')
  })

  test('max_age wants a fresh sign-in: to the second, and the session lives on', async ({
    assert,
  }) => {
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const authorization = `Bearer ${tokens.token}`
    const within = (query: string) => ask('GET', { authorization }, undefined, query)
    const statusWithin = (query: string) => within(query).then(({ status }) => status)
    clock.advance(599_000)
    assert.equal(await statusWithin('?max_age=600'), 200)
    clock.advance(1000)
    const stale = await within('?max_age=600')
    assert.equal(stale.status, 401)
    assert.equal(JSON.parse(stale.body).errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
    assert.equal(
      stale.headers['www-authenticate'],
      'Bearer realm="latchkey", error="insufficient_user_authentication", max_age="600"'
    )
    assert.isUndefined(stale.headers['x-auth-user-id'])
    assert.equal(await statusWithin('?max_age=7776000'), 200)
    assert.equal(await statusWithin('?max_age=0'), 401)
    assert.equal(await statusWithin(''), 200)

    const key = await makeApiKey(user, ['*'])
    const refused = await ask('GET', { authorization: `Bearer ${key}` }, undefined, '?max_age=600')
    assert.equal(refused.status, 401)
    assert.equal(JSON.parse(refused.body).errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
    assert.isUndefined(refused.headers['x-auth-user-id'])
  })

  test('max_age that is no single whole number of seconds is a 400', async ({ assert }) => {
    const { tokens } = await signIn(await makeUser())
    const authorization = `Bearer ${tokens.token}`
    for (const query of [
      'max_age=',
      'max_age[]=600',
      'max_age',
      'max_age=-1',
      'max_age=1.5',
      'max_age=1e3',
      'max_age=0x10',
      'max_age=+5',
      'max_age=10m',
      'max_age=600&max_age=600',
      'max_age=600&max%5Fage=900000',
      'max_age=7776001',
      'max_age=99999999999999999999',
      'max_age=6%30%00',
    ]) {
      const answer = await ask('GET', { authorization }, undefined, `?${query}`)
      assert.equal(answer.status, 400, query)
      assert.equal(JSON.parse(answer.body).errors[0].code, 'E_INVALID_REQUEST')
      assert.isUndefined(answer.headers['x-auth-user-id'])
    }
  })

  test('every proxy that the documentation shows copies every header', ({ assert }) => {
    const read = (file: string) =>
      readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8')
    const page = read('forward-auth.md')
    const [nginx, traefik, caddy, haproxy, envoy] = [
      'nginx.conf',
      'traefik.yaml',
      'Caddyfile',
      'latchkey.lua',
      'envoy.yaml',
    ].map((file) => read(`deploy/${file}`))
    for (const name of IDENTITY_HEADERS) {
      const variable = name.toLowerCase().replaceAll('-', '_').replace('x_', '$')
      const source = variable.replace('$', '$upstream_http_x_')
      assert.include(page, `| \`${name}\` `)
      assert.match(nginx, new RegExp(`auth_request_set \\${variable} +\\${source};`))
      assert.match(nginx, new RegExp(`proxy_set_header ${name} +\\${variable};`))
      assert.match(traefik, new RegExp(`- ${name}\n`))
      assert.match(caddy, new RegExp(`copy_headers.* ${name}( |\n)`))
      assert.include(haproxy, `"${name.toLowerCase().replace('x-auth-', '')}"`)
      assert.include(envoy, `- remove: ${name.toLowerCase()}\n`)
    }
  })

  test('a proof is not used up by a sign-in that is not fresh: asked again, the reason is the same', async ({
    assert,
  }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const keyThumbprint = await DPoP.calculateThumbprint(key.publicKey)
    clock.freeze(new Date(Date.now() - 600_000))
    const { tokens } = await signIn(await makeUser(), { keyThumbprint })
    clock.restore()
    const url = `${process.env.APP_URL}/forward-auth`
    const headers = {
      authorization: `DPoP ${tokens.token}`,
      dpop: await DPoP.generateProof(key, url, 'GET', undefined, tokens.token),
    }
    for (let round = 0; round < 2; round++) {
      const refused = await ask('GET', headers, undefined, '?max_age=600')
      assert.equal(refused.status, 401)
      assert.equal(JSON.parse(refused.body).errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
    }
    const passed = await ask('GET', headers)
    assert.equal(passed.status, 200)
    const spent = await ask('GET', headers, undefined, '?max_age=600')
    assert.equal(spent.status, 401)
  })

  test('refuses with 401 whatever is wrong, and says who nobody is', async ({ assert }) => {
    const user = await makeUser()
    const old = await signIn(user)
    await signIn(user)
    const refused: Record<string, string | string[]>[] = [
      {},
      { authorization: `Bearer ${mintToken('access')}` },
      { authorization: `Bearer ${old.tokens.token}` },
      { authorization: `Bearer ${old.tokens.refreshToken}` },
      { authorization: 'Bearer a b c' },
      { authorization: ['Bearer a', 'Bearer b'] },
    ]
    for (const headers of refused) {
      const answer = await ask('POST', headers)
      assert.equal(answer.status, 401)
      assert.match(answer.headers['www-authenticate'], /^Bearer realm/)
      assert.isUndefined(answer.headers['x-auth-user-id'])
    }
    const preflight = { 'origin': 'https://a.example', 'access-control-request-method': 'GET' }
    const passed = await ask('OPTIONS', preflight)
    assert.equal(passed.status, 401)
  })

  test('an API key has an empty session header, so that nothing of a client passes', async ({
    assert,
  }) => {
    sessionsConfig.apiKeyAbilities = ['orders:read', 'orders:write']
    const user = await makeUser()
    const key = await makeApiKey(user, ['orders:read', 'orders:write'])
    const answer = await ask('GET', { authorization: `Bearer ${key}` })
    assert.equal(answer.status, 200)
    for (const name of ['session-id', 'external-id', 'time', 'actor']) {
      assert.equal(answer.headers[`x-auth-${name}`], '', name)
    }
    assert.equal(answer.headers['x-auth-abilities'], 'orders:read orders:write')
  })

  test('a proof of possession is checked for the request that a trusted proxy names', async ({
    assert,
    cleanup,
  }) => {
    cleanup(trustProxies('loopback'))
    const key = await DPoP.generateKeyPair('ES256')
    const keyThumbprint = await DPoP.calculateThumbprint(key.publicKey)
    const { tokens } = await signIn(await makeUser(), { keyThumbprint })
    const authorization = `DPoP ${tokens.token}`
    const prove = () =>
      DPoP.generateProof(key, 'https://api.example.com/orders', 'POST', undefined, tokens.token)
    const original = {
      'x-forwarded-method': 'POST',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'api.example.com',
      'x-forwarded-uri': '/orders?page=2',
    }
    const passed = await ask('GET', { authorization, dpop: await prove(), ...original })
    assert.equal(passed.status, 200)
    const elsewhere = { ...original, 'x-forwarded-uri': '/refunds' }
    const refused = await ask('GET', { authorization, dpop: await prove(), ...elsewhere })
    assert.equal(refused.status, 401)
    const unnamed = await ask('GET', { authorization, dpop: await prove() })
    assert.equal(unnamed.status, 401)

    const incomplete = Object.keys(original).map((name) => ({ ...original, [name]: undefined }))
    const malformed = [
      { ...original, 'x-forwarded-uri': '@api.example.com/orders' },
      { ...original, 'x-forwarded-uri': 'https://api.example.com/orders' },
      { ...original, 'x-forwarded-host': ['evil.example', 'api.example.com'] },
      { ...original, 'x-forwarded-host': 'api.example.com/orders?' },
      { ...original, 'x-forwarded-host': 'evil.example@api.example.com' },
      { ...original, 'x-forwarded-method': ['GET', 'POST'] },
    ]
    for (const headers of [...incomplete, ...malformed]) {
      const given = Object.entries(headers).filter(([, value]) => value !== undefined)
      const answer = await ask('GET', {
        authorization,
        dpop: await prove(),
        ...Object.fromEntries(given as [string, string | string[]][]),
      })
      assert.equal(answer.status, 401, JSON.stringify(headers))
    }

    for (const setting of [false, '192.0.2.0/24'] as const) {
      const restore = trustProxies(setting)
      const untrusted = await ask('GET', { authorization, dpop: await prove(), ...original })
      restore()
      assert.equal(untrusted.status, 401)
    }
  })

  test('an e-mail that is not ASCII travels in UTF-8', async ({ assert }) => {
    const { tokens } = await signIn(await makeUser({ email: 'zoë@example.com' }))
    const answer = await ask('GET', { authorization: `Bearer ${tokens.token}` })
    assert.equal(answer.status, 200)
    const email = Buffer.from(answer.headers['x-auth-user-email'], 'latin1').toString('utf8')
    assert.equal(email, 'zoë@example.com')
  })
})
