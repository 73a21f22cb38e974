import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import * as DPoP from 'dpop'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { trustProxies } from '#tests/harness/trusted_proxies'
import { startServer } from '#tests/harness/server'

/** Where the requests go, and what the proofs name (`APP_URL`). */
const server = () => `http://${process.env.HOST}:${process.env.PORT}`
const known = (path: string) => `${process.env.APP_URL}${path}`

type Key = Awaited<ReturnType<typeof DPoP.generateKeyPair>>

const makeProof = (key: Key, method: string, path: string, token?: string) =>
  DPoP.generateProof(key, known(path), method, undefined, token)

/**
 * A sign-in with a proof by the key.
 */
async function signInWith(key: Key, email: string) {
  const proof = await makeProof(key, 'POST', '/api/v1/auth/login')
  const answer = await call(server(), 'POST', '/api/v1/auth/login', {
    body: { email, password: PASSWORD },
    headers: { dpop: proof },
  })
  return answer.body.data
}

/**
 * Reads the account with these headers.
 */
const getAccount = (headers: Record<string, string>) =>
  call(server(), 'GET', '/api/v1/account', { headers })

test.group('Sessions bound to a key', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const policy = { ...sessionsConfig }
    return () => {
      Object.assign(sessionsConfig, policy)
      clock.restore()
    }
  })

  test('a client that proves a key gets tokens for that key alone', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const { token, tokenType } = await signInWith(key, user.email)
    assert.equal(tokenType, 'DPoP')

    const answer = await getAccount({
      authorization: `DPoP ${token}`,
      dpop: await makeProof(key, 'GET', '/api/v1/account', token),
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.data.user.id, user.id)
  })

  test('a copied token is refused: {0}')
    .with([
      ['as a plain bearer token', 'Bearer', async () => undefined, 'E_UNAUTHORIZED_ACCESS'],
      [
        'as a plain bearer token beside a proof',
        'Bearer',
        (key: Key, token: string) => makeProof(key, 'GET', '/api/v1/account', token),
        'E_UNAUTHORIZED_ACCESS',
      ],
      ['without a proof', 'DPoP', async () => undefined, 'E_INVALID_DPOP_PROOF'],
      [
        'with another key',
        'DPoP',
        async (_: Key, token: string) =>
          makeProof(await DPoP.generateKeyPair('ES256'), 'GET', '/api/v1/account', token),
        'E_INVALID_DPOP_PROOF',
      ],
      [
        'with a proof of another token',
        'DPoP',
        (key: Key) => makeProof(key, 'GET', '/api/v1/account', 'oat_other'),
        'E_INVALID_DPOP_PROOF',
      ],
      [
        'with a proof of no token',
        'DPoP',
        (key: Key) => makeProof(key, 'GET', '/api/v1/account'),
        'E_INVALID_DPOP_PROOF',
      ],
      [
        'with a proof of another URL',
        'DPoP',
        (key: Key, token: string) => makeProof(key, 'GET', '/api/v1/sessions', token),
        'E_INVALID_DPOP_PROOF',
      ],
      [
        'with a proof of another method',
        'DPoP',
        (key: Key, token: string) => makeProof(key, 'POST', '/api/v1/account', token),
        'E_INVALID_DPOP_PROOF',
      ],
    ] as [string, string, (key: Key, token: string) => Promise<string | undefined>, string][])
    .run(async ({ assert }, [, scheme, prove, code]) => {
      const key = await DPoP.generateKeyPair('ES256')
      const user = await makeUser()
      const { token } = await signInWith(key, user.email)
      const proof = await prove(key, token)
      const answer = await getAccount({
        authorization: `${scheme} ${token}`,
        ...(proof && { dpop: proof }),
      })
      assert.equal(answer.status, 401)
      assert.equal(answer.body.errors[0].code, code)
      assert.match(answer.headers.get('www-authenticate')!, /^DPoP /)
    })

  test('every refusal names the scheme that its tokens want: {0}')
    .with([
      ['too old a sign-in', 'POST', '/api/v1/api-keys', 'E_REAUTHENTICATION_REQUIRED'],
      ['the wrong role', 'GET', '/api/v1/admin/users', 'E_FORBIDDEN'],
      ['a token past its time', 'GET', '/api/v1/account', 'E_TOKEN_EXPIRED'],
      ['an ended session', 'GET', '/api/v1/account', 'E_SESSION_ENDED'],
      ['too old a sign-in for a proxy', 'GET', '/forward-auth', 'E_REAUTHENTICATION_REQUIRED'],
    ] as const)
    .run(async ({ assert }, [, method, path, code]) => {
      const key = await DPoP.generateKeyPair('ES256')
      const keyThumbprint = await DPoP.calculateThumbprint(key.publicKey)
      const user = await makeUser()
      const age = code === 'E_TOKEN_EXPIRED' ? sessionsConfig.accessTokenTtl : 600_000
      clock.freeze(new Date(Date.now() - age))
      const {
        tokens: { token },
      } = await signIn(user, { keyThumbprint })
      clock.restore()
      if (code === 'E_SESSION_ENDED') await signIn(user)
      const proof = await makeProof(key, method, path, token)
      const query = path === '/forward-auth' ? '?max_age=600' : ''
      const answer = await call(server(), method, path + query, {
        headers: { authorization: `DPoP ${token}`, dpop: proof },
        ...(method === 'POST' && { body: { name: 'Export' } }),
      })
      assert.equal(answer.body.errors[0].code, code)
      const challenge = answer.headers.get('www-authenticate')!
      assert.match(challenge, /^DPoP realm="latchkey", error="/)
      assert.include(challenge, ', algs="ES256 ')
      assert.notInclude(challenge, 'Bearer')
      if (code === 'E_REAUTHENTICATION_REQUIRED') {
        assert.include(challenge, 'error="insufficient_user_authentication", max_age="600"')
      }
    })

  test('signing out wants the proof: an expired token, a refresh token', async ({ assert }) => {
    const path = '/api/v1/auth/logout'
    const user = await makeUser()
    for (const by of ['expired token', 'refresh token']) {
      const key = await DPoP.generateKeyPair('ES256')
      const stranger = await DPoP.generateKeyPair('ES256')
      const { token, refreshToken, session } = await signInWith(key, user.email)
      const isExpired = by === 'expired token'
      const ask = async (signer: Key | null) => {
        const proof =
          signer && (await makeProof(signer, 'POST', path, isExpired ? token : undefined))
        return call(server(), 'POST', path, {
          ...(!isExpired && { body: { refreshToken } }),
          headers: {
            ...(isExpired && { authorization: `DPoP ${token}` }),
            ...(proof && { dpop: proof }),
          },
        })
      }
      if (isExpired) {
        await db
          .from('api_tokens')
          .where({ session_id: session.id, type: 'access' })
          .update({
            expires_at: new Date(clock.millis() - 1),
          })
      }
      for (const signer of [null, stranger]) {
        const refused = await ask(signer)
        assert.equal(refused.status, isExpired ? 401 : 400, by)
        assert.equal(refused.body.errors[0].code, 'E_INVALID_DPOP_PROOF')
      }
      assert.equal(await countRows('sessions', { id: session.id, ended_at: null }), 1)
      const answer = await ask(key)
      assert.equal(answer.status, 204)
    }
  })

  test('no header of the request says which URL a proof is for, whoever sends it', async ({
    assert,
    cleanup,
  }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const { token } = await signInWith(key, user.email)
    const elsewhere = {
      'x-forwarded-method': 'POST',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-uri': '/orders',
      'x-forwarded-port': '443',
      'x-forwarded-prefix': '/orders',
      'x-original-url': '/orders',
      'x-http-method-override': 'POST',
      'forwarded': 'for=192.0.2.1;host=evil.example;proto=https',
    }
    for (const trusted of [false, 'loopback', true]) {
      cleanup(trustProxies(trusted))
      const others = [
        ['POST', 'https://evil.example/orders'],
        ['GET', 'https://evil.example/api/v1/account'],
        ['POST', known('/api/v1/account')],
        ['GET', known('/orders')],
      ]
      for (const [method, url] of others) {
        const dpop = await DPoP.generateProof(key, url, method, undefined, token)
        const refused = await getAccount({ authorization: `DPoP ${token}`, dpop, ...elsewhere })
        assert.equal(refused.status, 401, `${method} ${url}`)
      }
      const dpop = await makeProof(key, 'GET', '/api/v1/account', token)
      const passed = await getAccount({ authorization: `DPoP ${token}`, dpop, ...elsewhere })
      assert.equal(passed.status, 200)
    }
  })

  test('a proof works once', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const { token } = await signInWith(key, user.email)
    const headers = {
      authorization: `DPoP ${token}`,
      dpop: await makeProof(key, 'GET', '/api/v1/account', token),
    }
    const first = await getAccount(headers)
    assert.equal(first.status, 200)
    const replayed = await getAccount(headers)
    assert.equal(replayed.status, 401)
    assert.equal(replayed.body.errors[0].code, 'E_INVALID_DPOP_PROOF')
    assert.match(replayed.headers.get('www-authenticate')!, /error="invalid_dpop_proof", algs="/)
  })

  test('who is refused leaves no proof behind, and the body is read first', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const post = async (body: unknown) =>
      call(server(), 'POST', '/api/v1/auth/login', {
        body,
        headers: { dpop: await makeProof(key, 'POST', '/api/v1/auth/login') },
      })
    const empty = await post({})
    assert.equal(empty.status, 422)
    const wrong = await post({ email: 'nobody@example.com', password: 'wrong' })
    assert.equal(wrong.status, 400)
    assert.equal(await countRows('dpop_proofs'), 0)
  })

  test('a proof or a key that is too large is refused', async ({ assert }) => {
    const user = await makeUser()
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const proofOf = (n: string, e: string) =>
      `${encode({ typ: 'dpop+jwt', alg: 'RS256', jwk: { kty: 'RSA', n, e } })}.e30.AAAA`
    for (const dpop of [
      'a'.repeat(2049),
      proofOf('A'.repeat(684), 'AQAB'),
      proofOf('AAAA', 'A'.repeat(7)),
    ]) {
      const answer = await call(server(), 'POST', '/api/v1/auth/login', {
        body: { email: user.email, password: PASSWORD },
        headers: { dpop },
      })
      assert.equal(answer.status, 400)
      assert.match(answer.body.errors[0].message, /longer than|larger than/)
    }
  })

  test('a stale proof is refused', async ({ assert }) => {
    clock.freeze()
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const { token } = await signInWith(key, user.email)
    const dpop = await makeProof(key, 'GET', '/api/v1/account', token)
    clock.advance(70_000)
    const answer = await getAccount({ authorization: `DPoP ${token}`, dpop })
    assert.equal(answer.status, 401)
    assert.equal(answer.body.errors[0].code, 'E_INVALID_DPOP_PROOF')
  })

  test('an unbound token beside a bound one goes on as a bearer token, and only as one', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const answer = await client
      .post('/api/v1/auth/login')
      .json({ email: user.email, password: PASSWORD })
    const { token, tokenType } = answer.body().data
    assert.equal(tokenType, 'Bearer')
    const bearer = await getAccount({ authorization: `Bearer ${token}` })
    assert.equal(bearer.status, 200)
    const asBound = await getAccount({ authorization: `DPoP ${token}` })
    assert.equal(asBound.status, 401)
  })

  test('with SESSION_BINDING=key a sign-in without a proof is refused before its password', async ({
    client,
    assert,
  }) => {
    sessionsConfig.binding = 'key'
    const user = await makeUser()
    for (const password of [PASSWORD, 'wrong']) {
      const answer = await client.post('/api/v1/auth/login').json({ email: user.email, password })
      answer.assertStatus(400)
      assert.equal(answer.body().errors[0].code, 'E_INVALID_DPOP_PROOF')
    }
    assert.equal(await countRows('sessions'), 0)
  })

  test('a sign-in with a proof that does not hold is refused', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const proof = await makeProof(key, 'GET', '/api/v1/auth/login')
    for (const headers of [{ dpop: proof }, { dpop: 'nonsense' }, { dpop: '' }]) {
      const answer = await call(server(), 'POST', '/api/v1/auth/login', {
        body: { email: user.email, password: PASSWORD },
        headers,
      })
      assert.equal(answer.status, 400)
      assert.equal(answer.body.errors[0].code, 'E_INVALID_DPOP_PROOF')
    }
    assert.equal(await countRows('sessions'), 0)
  })

  test('a refresh wants a proof by the same key, and binds what it gives', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const { refreshToken } = await signInWith(key, user.email)
    const path = '/api/v1/auth/refresh'
    const refresh = (dpop?: string) =>
      call(server(), 'POST', path, {
        body: { refreshToken },
        headers: dpop === undefined ? {} : { dpop },
      })

    const stranger = await DPoP.generateKeyPair('ES256')
    for (const dpop of [undefined, 'nonsense', await makeProof(stranger, 'POST', path)]) {
      const refused = await refresh(dpop)
      assert.equal(refused.status, 400)
      assert.equal(refused.body.errors[0].code, 'E_INVALID_DPOP_PROOF')
    }
    const renewed = await refresh(await makeProof(key, 'POST', path))
    assert.equal(renewed.status, 200)
    const { token, tokenType } = renewed.body.data
    assert.equal(tokenType, 'DPoP')
    const bearer = await getAccount({ authorization: `Bearer ${token}` })
    assert.equal(bearer.status, 401)
    const bound = await getAccount({
      authorization: `DPoP ${token}`,
      dpop: await makeProof(key, 'GET', '/api/v1/account', token),
    })
    assert.equal(bound.status, 200)
  })

  test('a stream wants a proof too', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const { token } = await signInWith(key, user.email)
    const path = '/api/v1/session/events'
    const open = (headers: Record<string, string>) =>
      fetch(server() + path, { headers: { authorization: `DPoP ${token}`, ...headers } })
    const refused = await open({})
    assert.equal(refused.status, 401)
    await refused.body?.cancel()
    const opened = await open({ dpop: await makeProof(key, 'GET', path, token) })
    assert.equal(opened.status, 200)
    await opened.body?.cancel()
  })

  test('a proof that one node has seen is refused by another', async ({ assert, cleanup }) => {
    const other = await startServer()
    cleanup(() => other.stop())
    const key = await DPoP.generateKeyPair('ES256')
    const user = await makeUser()
    const { token } = await signInWith(key, user.email)
    const headers = {
      authorization: `DPoP ${token}`,
      dpop: await makeProof(key, 'GET', '/api/v1/account', token),
    }
    const first = await call(other.url, 'GET', '/api/v1/account', { headers })
    assert.equal(first.status, 200)
    const replayed = await getAccount(headers)
    assert.equal(replayed.status, 401)
    assert.equal(replayed.body.errors[0].code, 'E_INVALID_DPOP_PROOF')
  }).timeout(30_000)
})

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36'
const NEWER_CHROME = CHROME.replace('140', '141')
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'

test.group('Sessions bound to a user agent', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const policy = { ...sessionsConfig }
    sessionsConfig.binding = 'user_agent'
    return () => {
      Object.assign(sessionsConfig, policy)
    }
  })

  const logInAs = async (userAgent: string, email: string) => {
    const answer = await call(server(), 'POST', '/api/v1/auth/login', {
      body: { email, password: PASSWORD },
      headers: { 'user-agent': userAgent },
    })
    return answer.body.data.token as string
  }
  const useAs = (userAgent: string, token: string) =>
    getAccount({ 'authorization': `Bearer ${token}`, 'user-agent': userAgent })

  test('another family is refused, an update of the same is not', async ({ assert }) => {
    const user = await makeUser()
    const token = await logInAs(CHROME, user.email)
    const updated = await useAs(NEWER_CHROME, token)
    assert.equal(updated.status, 200)
    for (const other of [SAFARI, 'curl/8.0', '']) {
      const refused = await useAs(other, token)
      assert.equal(refused.status, 401)
      assert.equal(refused.body.errors[0].code, 'E_UNAUTHORIZED_ACCESS')
    }
    const alive = await useAs(CHROME, token)
    assert.equal(alive.status, 200)
  })

  test('with SESSION_BINDING_ENDS the mismatch ends the session, and says so', async ({
    assert,
  }) => {
    sessionsConfig.bindingEnds = true
    const user = await makeUser()
    const token = await logInAs(CHROME, user.email)
    for (const userAgent of [SAFARI, CHROME]) {
      const ended = await useAs(userAgent, token)
      assert.equal(ended.status, 401)
      assert.equal(ended.body.errors[0].reason, 'device_mismatch')
    }
    assert.equal(await countRows('api_tokens'), 0)
  })

  test('one that is too long to be stored is neither refused nor ended by its own binding', async ({
    assert,
  }) => {
    sessionsConfig.bindingEnds = true
    const user = await makeUser()
    const post = (path: string, body: unknown, userAgent: string) =>
      call(server(), 'POST', path, { body, headers: { 'user-agent': userAgent } })
    /** What names the family stands before the cut, behind it, and across it. */
    for (const long of [
      `${CHROME} ${'x'.repeat(2_000)}`,
      `Mozilla/5.0 (${'x'.repeat(600)}) ${CHROME}`,
      `Mozilla/5.0 (Windows NT 10.0) ${'x'.repeat(470)} Chrome/140.0.0.0 Safari/537.36`,
      `${'x'.repeat(600)}/1.0`,
    ]) {
      const body = { email: user.email, password: PASSWORD }
      const opened = await post('/api/v1/auth/login', body, long)
      const { token, refreshToken } = opened.body.data
      const used = await useAs(long, token)
      assert.equal(used.status, 200)
      const renewed = await post('/api/v1/auth/refresh', { refreshToken }, long)
      assert.equal(renewed.status, 200)
      const again = await useAs(long, renewed.body.data.token)
      assert.equal(again.status, 200)
    }
  })
})
