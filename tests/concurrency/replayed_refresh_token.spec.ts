import { connect } from 'node:net'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { sharedServers, startServer, type TestServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'

const REFRESH = '/api/v1/auth/refresh'

/**
 * A window that outlasts the start of a server on a busy machine.
 */
const env = { REFRESH_RETRY_WINDOW: '10m' }
const WINDOW = 10 * 60_000

/**
 * Sends a refresh and drops the line once `moment` has come, without reading.
 */
async function abandonRefresh(
  server: TestServer,
  refreshToken: string,
  moment: () => Promise<unknown>
) {
  const payload = JSON.stringify({ refreshToken })
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  const sent = new Promise<void>((resolve) => {
    socket.write(
      [
        `POST ${REFRESH} HTTP/1.1`,
        'Host: localhost',
        'Content-Type: application/json',
        `Content-Length: ${payload.length}`,
        '',
        payload,
      ].join('\r\n'),
      () => resolve()
    )
  })
  await sent
  await moment()
  socket.destroy()
}

async function untilRotated() {
  const isRotated = async () => (await countRows('ended_tokens', { reason: 'rotated' })) > 0
  await until(isRotated, 'a refresh', 10_000)
}

test.group('A refresh token that comes back', (group) => {
  group.each.setup(() => emptyDatabase())

  test('after kill -9: the same successor within the window, the end after it was used', async ({
    assert,
  }) => {
    const user = await makeUser()
    const first = await startServer({ env })
    const login = await logIn(first.url, user.email)
    const body = { refreshToken: login.body.data.refreshToken }
    const rotated = await call(first.url, 'POST', REFRESH, { body })
    assert.equal(rotated.status, 200)
    await first.kill()

    const second = await startServer({ env })
    const retried = await call(second.url, 'POST', REFRESH, { body })
    assert.equal(retried.status, 200)
    assert.equal(retried.body.data.refreshToken, rotated.body.data.refreshToken)
    assert.equal(retried.body.data.token, rotated.body.data.token)
    const used = await call(second.url, 'GET', '/api/v1/account', {
      token: rotated.body.data.token,
    })
    assert.equal(used.status, 200)
    await second.kill()

    const late = await startServer({ env, clockOffset: WINDOW + 1000 })
    const replayed = await call(late.url, 'POST', REFRESH, { body })
    assert.equal(replayed.status, 400)
    assert.equal(replayed.body.errors[0].code, 'E_REFRESH_TOKEN_REUSED')
    const ended = await call(late.url, 'GET', '/api/v1/account', {
      token: rotated.body.data.token,
    })
    assert.equal(ended.body.errors[0].reason, 'token_reuse')
    await late.stop()
    assert.equal(await countRows('session_events', { reason: 'token_reuse' }), 1)
    assert.equal(await countRows('api_tokens'), 0)
  }).timeout(60_000)

  test('after APP_KEY was changed: refused within the window, and nothing ends', async ({
    assert,
  }) => {
    const user = await makeUser()
    const first = await startServer({ env })
    const login = await logIn(first.url, user.email)
    const body = { refreshToken: login.body.data.refreshToken }
    const rotated = await call(first.url, 'POST', REFRESH, { body })
    await first.stop()

    const APP_KEY = 'another-key-for-tests-and-nothing-else-0123456'
    const second = await startServer({ env: { ...env, APP_KEY } })
    const retried = await call(second.url, 'POST', REFRESH, { body })
    assert.equal(retried.status, 400)
    assert.equal(retried.body.errors[0].code, 'E_INVALID_REFRESH_TOKEN')
    const onward = await call(second.url, 'POST', REFRESH, {
      body: { refreshToken: rotated.body.data.refreshToken },
    })
    assert.equal(onward.status, 200)
    await second.stop()
  }).timeout(60_000)

  for (const [when, moment] of [
    ['after the refresh was done', untilRotated],
    ['while it was under way', async () => {}],
  ] as const) {
    test(`because the line was cut ${when}: the retry works`, async ({ assert }) => {
      const user = await makeUser()
      const [server] = await sharedServers({}, {})
      const login = await logIn(server.url, user.email)
      const { refreshToken } = login.body.data
      await abandonRefresh(server, refreshToken, moment)

      const retried = await call(server.url, 'POST', REFRESH, { body: { refreshToken } })
      assert.equal(retried.status, 200)
      const check = await call(server.url, 'GET', '/api/v1/account', {
        token: retried.body.data.token,
      })
      assert.equal(check.status, 200)
      const onward = await call(server.url, 'POST', REFRESH, {
        body: { refreshToken: retried.body.data.refreshToken },
      })
      assert.equal(onward.status, 200)
      const rows = await db.from('api_tokens')
      assert.lengthOf(rows, 2)
    }).timeout(60_000)
  }
})
