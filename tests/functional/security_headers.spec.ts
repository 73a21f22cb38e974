import { test } from '@japa/runner'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { startServer } from '#tests/harness/server'

const here = () => `http://${process.env.HOST}:${process.env.PORT}`

test.group('Security headers', (group) => {
  group.each.setup(() => emptyDatabase())

  test('every answer of the API carries them: a success, an error, nothing, no route', async ({
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const authorization = `Bearer ${tokens.token}`
    const answers = [
      await fetch(`${here()}/api/v1/account`, { headers: { authorization } }),
      await fetch(`${here()}/api/v1/account`),
      await fetch(`${here()}/api/v1/auth/login`, { method: 'POST', body: 'no JSON' }),
      await fetch(`${here()}/api/v1/auth/logout`, { method: 'POST', headers: { authorization } }),
      await fetch(`${here()}/nowhere`),
      await fetch(`${here()}/health/live`),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401, 415, 204, 404, 200]
    )
    for (const { headers } of answers) {
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
      assert.equal(
        headers.get('content-security-policy'),
        "default-src 'none'; frame-ancestors 'none'"
      )
      assert.isNull(headers.get('strict-transport-security'))
      assert.isNull(headers.get('set-cookie'))
      assert.isNull(headers.get('server'))
      assert.isNull(headers.get('x-powered-by'))
    }
  })

  test('a page can run its own scripts, and nobody can frame it', async ({ assert }) => {
    for (const page of ['/', '/docs']) {
      const { headers, status } = await fetch(here() + page)
      assert.equal(status, 200)
      const policy = headers.get('content-security-policy')!
      assert.include(policy, "script-src 'self'")
      assert.include(policy, "frame-ancestors 'none'")
      assert.notMatch(policy, /script-src[^;]*unsafe/)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
    }
  })

  test('another origin is told nothing unless it is configured', async ({ assert }) => {
    const preflight = await fetch(`${here()}/api/v1/auth/login`, {
      method: 'OPTIONS',
      headers: { 'origin': 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    assert.equal(preflight.status, 404)
    assert.isNull(preflight.headers.get('access-control-allow-origin'))
    const answer = await fetch(`${here()}/health/live`, {
      headers: { origin: 'https://evil.example' },
    })
    assert.isNull(answer.headers.get('access-control-allow-origin'))
  })

  test('configured origins, and they alone, may read answers; HTTPS is promised behind HTTPS', async ({
    assert,
    cleanup,
  }) => {
    const server = await startServer({
      env: { CORS_ORIGINS: 'https://app.example', APP_URL: 'https://auth.example' },
    })
    cleanup(() => server.stop())
    const { email } = await makeUser()
    const signInFrom = (origin: string) =>
      fetch(`${server.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ email, password: PASSWORD }),
      })
    const own = await signInFrom('https://app.example')
    assert.equal(own.status, 200)
    assert.equal(own.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.isNull(own.headers.get('access-control-allow-credentials'))
    assert.match(own.headers.get('strict-transport-security')!, /^max-age=31536000/)
    for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'null']) {
      const other = await signInFrom(origin)
      assert.isNull(other.headers.get('access-control-allow-origin'), origin)
    }
    const preflight = await fetch(`${server.url}/api/v1/account`, {
      method: 'OPTIONS',
      headers: {
        'origin': 'https://app.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    })
    assert.equal(preflight.status, 204)
    assert.include(preflight.headers.get('access-control-allow-headers'), 'authorization')
  }).timeout(60_000)
})
