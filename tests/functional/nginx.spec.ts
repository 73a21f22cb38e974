import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { configurationIn, hasNginx, startNginx } from '#tests/harness/nginx'
import { freePort } from '#tests/harness/ports'

const configuration = configurationIn(new URL('../../docs/forward-auth.md', import.meta.url))
const latchkey = `${process.env.HOST}:${process.env.PORT}`

/**
 * A backend that knows nothing of tokens: it answers with the request as it came.
 */
function startBackend(): Promise<Server> {
  const backend = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const { method, headers, url } = request
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ method, url, headers, body }))
    })
  })
  return new Promise((resolve) => backend.listen(0, '127.0.0.1', () => resolve(backend)))
}

test.group('nginx with auth_request, as documented', (group) => {
  let backend: Server
  let nginx: Awaited<ReturnType<typeof startNginx>>

  const startWith = (auth: string) =>
    startNginx(configuration, {
      '127.0.0.1:3333': auth,
      '127.0.0.1:8080': `127.0.0.1:${(backend.address() as AddressInfo).port}`,
    })
  const ask = (token: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(`${nginx.url}/orders?page=2`, {
      ...init,
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...init.headers },
    })

  group.setup(async () => {
    if (!hasNginx()) return async () => {}
    backend = await startBackend()
    nginx = await startWith(latchkey)
    return async () => {
      await nginx.stop()
      backend.close()
    }
  })
  group.each.setup(() => emptyDatabase())
  group.each.skip(!hasNginx(), 'nginx with the module auth_request is not installed')

  test("the user's id reaches the backend, and nothing that a client claims", async ({
    assert,
  }) => {
    const user = await makeUser()
    const { tokens, session } = await signIn(user)
    const answer = await ask(tokens.token, {
      method: 'POST',
      headers: {
        'content-type': 'text/plain',
        'X-Auth-User-Id': '1000000',
        'x-auth-abilities': 'everything',
      },
      body: 'an order',
    })
    assert.equal(answer.status, 200)
    const arrived: any = await answer.json()
    assert.containsSubset(arrived, { method: 'POST', url: '/orders?page=2', body: 'an order' })
    assert.containsSubset(arrived.headers, {
      'x-auth-user-id': String(user.id),
      'x-auth-user-email': user.email,
      'x-auth-session-id': session.id,
      'x-auth-abilities': '*',
    })
    assert.isUndefined(arrived.headers.authorization)
  })

  test('an API key passes without a session, whatever session the client claims', async ({
    assert,
  }) => {
    const user = await makeUser()
    const key = await makeApiKey(user, ['*'])
    const answer = await ask(key, {
      headers: { 'X-Auth-Session-Id': 'stolen', 'X-Auth-Actor': 'user:1' },
    })
    const arrived: any = await answer.json()
    assert.equal(arrived.headers['x-auth-user-id'], String(user.id))
    assert.equal(arrived.headers['x-auth-abilities'], 'account:read')
    for (const name of ['session-id', 'external-id', 'time', 'actor']) {
      assert.isUndefined(arrived.headers[`x-auth-${name}`], name)
    }
  })

  test('an evicted token stops at the next request, and is told why', async ({ assert }) => {
    const user = await makeUser()
    const phone = await signIn(user)
    const before = await ask(phone.tokens.token)
    assert.equal(before.status, 200)
    await signIn(user, { name: 'Tablet', platform: 'android' })

    const after = await ask(phone.tokens.token, { method: 'POST', body: 'an order' })
    assert.equal(after.status, 401)
    assert.match(after.headers.get('www-authenticate')!, /error="invalid_token"/)
    const body: any = await after.json()
    assert.containsSubset(body.errors[0], { reason: 'superseded', by: { name: 'Tablet' } })

    const nobody = await ask('')
    assert.equal(nobody.status, 401)
  })

  test('nothing passes while Latchkey is out of reach', async ({ assert }) => {
    const { tokens } = await signIn(await makeUser())
    const alone = await startWith(`127.0.0.1:${await freePort()}`)
    try {
      const answer = await fetch(alone.url, {
        headers: { authorization: `Bearer ${tokens.token}` },
      })
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '1')
      const body: any = await answer.json()
      assert.equal(body.errors[0].code, 'E_UNAVAILABLE')
    } finally {
      await alone.stop()
    }
  })
})
