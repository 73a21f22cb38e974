import { createHash } from 'node:crypto'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import * as DPoP from 'dpop'
import db from '@adonisjs/lucid/services/db'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { hasProxy, PROXIES, type Proxy, type ProxyName, startProxy } from '#tests/harness/proxies'
import { freePort } from '#tests/harness/ports'
import { trustProxies } from '#tests/harness/trusted_proxies'

const latchkey = `${process.env.HOST}:${process.env.PORT}`

/**
 * A backend that knows nothing of tokens: it answers with the request as it came, streams events, and
 * takes part in a WebSocket's handshake.
 */
function startBackend(): Promise<Server> {
  const backend = createServer((message, response) => {
    if (message.url === '/events') {
      response.setHeader('Content-Type', 'text/event-stream')
      return response.write('data: first\n\n')
    }
    let body = ''
    message.setEncoding('utf8').on('data', (chunk) => (body += chunk))
    message.on('end', () => {
      const { method, headers, url } = message
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ method, url, headers, body }))
    })
  })
  backend.on('upgrade', (message: IncomingMessage, socket) => {
    const key = `${message.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    const answer = ['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`]
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${answer.join('\r\n')}\r\n\r\n`)
    socket.write(`user ${message.headers['x-auth-user-id']}`)
    socket.on('data', (chunk) => socket.write(chunk)).on('error', () => {})
  })
  return new Promise((resolve) => backend.listen(0, '127.0.0.1', () => resolve(backend)))
}

for (const name of Object.keys(PROXIES) as ProxyName[]) {
  test.group(`${name} in front of a backend, as documented`, (group) => {
    let backend: Server
    let proxy: Proxy

    const start = (auth: string, maxAge?: number) =>
      startProxy(
        name,
        { latchkey: auth, backend: `127.0.0.1:${(backend.address() as AddressInfo).port}` },
        maxAge
      )
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const ask = (token: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
      fetch(`${proxy.url}/orders?page=2`, {
        ...init,
        headers: { ...(token && bearer(token)), ...init.headers },
      })

    group.setup(async () => {
      if (!hasProxy(name)) return async () => {}
      backend = await startBackend()
      proxy = await start(latchkey)
      return async () => {
        await proxy.stop()
        backend.close()
        backend.closeAllConnections()
      }
    })
    group.each.setup(() => emptyDatabase())
    group.each.skip(!hasProxy(name), `${name} with what it needs is not installed`)

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
          'X_Auth_User_Id': '1000000',
          'X-Auth_User-Id': '1000000',
          'x_auth-role': 'admin',
          'x-auth-abilities': 'everything',
        },
        body: 'an order',
      })
      assert.equal(answer.status, 200)
      const arrived: any = await answer.json()
      assert.containsSubset(arrived, { method: 'POST', url: '/orders?page=2', body: 'an order' })
      const told = Object.entries(arrived.headers).filter(
        ([header, value]) => /^x[-_]auth/i.test(header) && value !== ''
      )
      assert.deepEqual(Object.fromEntries(told), {
        'x-auth-user-id': String(user.id),
        'x-auth-user-email': user.email,
        'x-auth-user-email-verified': 'false',
        'x-auth-user-role': 'user',
        'x-auth-session-id': session.id,
        'x-auth-abilities': '*',
        'x-auth-time': String(Math.floor(session.authenticatedAt.getTime() / 1000)),
      })
      assert.isUndefined(arrived.headers.authorization)
    })

    test('no client has an identity header dropped on the way by naming it in Connection', async ({
      assert,
    }) => {
      const { tokens } = await signIn(await makeUser())
      for (const connection of [
        ['close, X-Auth-User-Role, x-auth-actor'],
        ['keep-alive', 'X-AUTH-USER-ROLE'],
      ]) {
        const { status, text } = await new Promise<{ status: number; text: string }>((done, fail) =>
          request(
            `${proxy.url}/orders`,
            { agent: false, headers: { ...bearer(tokens.token), connection } },
            async (message) => {
              let body = ''
              for await (const part of message.setEncoding('utf8')) body += part
              done({ status: message.statusCode!, text: body })
            }
          )
            .on('error', fail)
            .end()
        )
        assert.include([200, 400], status)
        if (status === 400) continue
        const { headers } = JSON.parse(text)
        assert.equal(headers['x-auth-user-role'], 'user')
        assert.notMatch(headers.connection ?? '', /x-auth/i)
      }
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
      for (const header of ['session-id', 'external-id', 'time', 'actor']) {
        assert.isTrue(!arrived.headers[`x-auth-${header}`], header)
      }
    })

    test('an evicted device learns why, when and by which, unchanged', async ({ assert }) => {
      const user = await makeUser()
      const phone = await signIn(user)
      const before = await ask(phone.tokens.token)
      assert.equal(before.status, 200)
      await signIn(user, { name: 'Tablet', platform: 'android' })

      const told = async (answer: Response) => ({
        status: answer.status,
        type: answer.headers.get('content-type'),
        challenge: answer.headers.get('www-authenticate'),
        cache: answer.headers.get('cache-control'),
        body: await answer.text(),
      })
      for (const [token, own] of [
        [phone.tokens.token, bearer(phone.tokens.token)],
        ['', {}],
      ] as const) {
        const through = await told(await ask(token, { method: 'POST', body: 'an order' }))
        const direct = await told(await fetch(`http://${latchkey}/forward-auth`, { headers: own }))
        assert.equal(direct.status, 401)
        assert.deepEqual(through, direct)
        if (token === '') continue
        assert.containsSubset(JSON.parse(through.body).errors[0], {
          reason: 'superseded',
          by: { name: 'Tablet', platform: 'android' },
        })
      }
    })

    test('answers a preflight itself, and passes nothing to the backend without a token', async ({
      assert,
    }) => {
      const preflight = await ask('', {
        method: 'OPTIONS',
        headers: {
          'origin': 'https://app.example.com',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      })
      assert.equal(preflight.status, 204)
      const { headers } = preflight
      assert.equal(headers.get('access-control-allow-origin'), 'https://app.example.com')
      assert.match(headers.get('access-control-allow-headers')!, /authorization/i)
    })

    test('event streams and WebSockets pass with a token, and not without', async ({ assert }) => {
      const user = await makeUser()
      const { tokens } = await signIn(user)
      const events = await fetch(`${proxy.url}/events`, { headers: bearer(tokens.token) })
      const reader = events.body!.getReader()
      const { value } = await reader.read()
      assert.equal(Buffer.from(value!).toString(), 'data: first\n\n')
      await reader.cancel()

      const upgrade = (headers: Record<string, string>) =>
        new Promise<string>((resolve, reject) => {
          const asked = request(`${proxy.url}/socket`, {
            headers: {
              ...headers,
              'connection': 'Upgrade',
              'upgrade': 'websocket',
              'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
              'sec-websocket-version': '13',
            },
          })
          asked.on('upgrade', (_, socket, head) => {
            let text = head.toString()
            socket.write(' hello')
            socket.on('data', (chunk) => {
              text += chunk
              if (!text.includes('hello')) return
              socket.destroy()
              resolve(text)
            })
          })
          asked.on('response', (answer) => {
            answer.resume()
            resolve(String(answer.statusCode))
          })
          asked.on('error', reject).end()
        })
      assert.equal(await upgrade(bearer(tokens.token)), `user ${user.id} hello`)
      assert.equal(await upgrade({}), '401')
    })

    test('a proof is checked for the request that the client made, and what is not fresh is said', async ({
      assert,
    }) => {
      const key = await DPoP.generateKeyPair('ES256')
      const keyThumbprint = await DPoP.calculateThumbprint(key.publicKey)
      const { tokens, session } = await signIn(await makeUser(), { keyThumbprint })
      const restore = trustProxies(true)
      const fresh = await start(latchkey, 600)
      try {
        const prove = (url: string) =>
          DPoP.generateProof(key, `${url}/orders`, 'POST', undefined, tokens.token)
        const post = async (url: string, headers: Record<string, string> = {}) => {
          const answer = await fetch(`${url}/orders?page=2`, {
            method: 'POST',
            headers: {
              authorization: `DPoP ${tokens.token}`,
              dpop: await prove(url),
              ...headers,
            },
          })
          return { answer, text: await answer.text() }
        }
        for (const { url } of [proxy, fresh]) {
          const passed = await post(url)
          assert.equal(passed.answer.status, 200, passed.text)
        }
        const lie = { 'x-forwarded-uri': '/invoices', 'x-forwarded-method': 'GET' }
        const proof = await DPoP.generateProof(
          key,
          `${proxy.url}/invoices`,
          'GET',
          undefined,
          tokens.token
        )
        const spoofed = await post(proxy.url, { ...lie, dpop: proof })
        assert.equal(spoofed.answer.status, 401)
        assert.equal(JSON.parse(spoofed.text).errors[0].code, 'E_INVALID_DPOP_PROOF')

        const old = new Date(Date.now() - 700_000)
        await db.from('sessions').where('id', session.id).update({ authenticated_at: old })
        const stale = await post(fresh.url)
        assert.equal(stale.answer.status, 401)
        assert.equal(JSON.parse(stale.text).errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
        assert.match(
          stale.answer.headers.get('www-authenticate')!,
          /^DPoP [^,]+, error="insuff[^,]+, max_age="600", algs="[^"]+"$/
        )
        const elsewhere = await post(proxy.url)
        assert.equal(elsewhere.answer.status, 200)
      } finally {
        restore()
        await fresh.stop()
      }
    })

    test('nothing passes while Latchkey is out of reach', async ({ assert }) => {
      const { tokens } = await signIn(await makeUser())
      const alone = await start(`127.0.0.1:${await freePort()}`)
      try {
        const answer = await fetch(alone.url, { headers: bearer(tokens.token) })
        assert.equal(answer.status, 503)
        assert.equal(answer.headers.get('retry-after'), '1')
        const body: any = await answer.json()
        assert.equal(body.errors[0].code, 'E_UNAVAILABLE')
      } finally {
        await alone.stop()
      }
    })
  })
}
