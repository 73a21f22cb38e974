import { request } from 'node:http'
import { test } from '@japa/runner'
import * as DPoP from 'dpop'
import db from '@adonisjs/lucid/services/db'
import { mintToken, hashToken } from '#app/tokens/token'
import clock from '#app/clock'
import { trustProxies } from '#tests/harness/trusted_proxies'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

const server = `http://${process.env.HOST}:${process.env.PORT}`

function ask(method: string, headers: Record<string, string | string[]>, body?: string) {
  return new Promise<{ status: number; headers: Record<string, any>; body: string }>(
    (resolve, reject) => {
      const asked = request(`${server}/forward-auth`, { method, headers }, (answer) => {
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
  group.each.setup(() => emptyDatabase())

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
    const user = await makeUser()
    const key = mintToken('api_key')
    const now = clock.now()
    await db.table('api_tokens').insert({
      tokenable_id: user.id,
      type: 'api_key',
      hash: hashToken(key),
      abilities: '["orders:read","orders:write"]',
      created_at: now,
      updated_at: now,
    })
    const answer = await ask('GET', { authorization: `Bearer ${key}` })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['x-auth-session-id'], '')
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
