import { test } from '@japa/runner'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'

test.group('Refusals in the log', (group) => {
  group.each.setup(() => emptyDatabase())

  test('wrong credentials, missing rights and full limits are told with where they came from', async ({
    assert,
    cleanup,
  }) => {
    const server = await startServer({
      env: { LOG_LEVEL: 'info', RATE_LIMIT_SIGN_IN: '2/10m' },
    })
    cleanup(() => server.stop())
    const user = await makeUser()
    const signedIn = await logIn(server.url, user.email)
    const { token } = signedIn.body.data
    const forbidden = await call(server.url, 'GET', '/api/v1/admin/users', { token })
    const requestId = forbidden.headers.get('x-request-id')
    for (const password of ['wrong one', 'wrong two', 'wrong three']) {
      await logIn(server.url, user.email, { password })
    }
    await call(server.url, 'GET', '/api/v1/account')
    await server.stop()

    const told = server
      .output()
      .split('\n')
      .filter((line) => line.includes('"refused"'))
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      told.map(({ refused, route, user: id, ip }) => ({ refused, route, id, ip })),
      [
        { refused: 'E_FORBIDDEN', route: '/api/v1/admin/users', id: user.id, ip: '127.0.0.1' },
        ...['E_INVALID_CREDENTIALS', 'E_INVALID_CREDENTIALS', 'E_TOO_MANY_REQUESTS'].map(
          (refused) => ({ refused, route: '/api/v1/auth/login', id: undefined, ip: '127.0.0.1' })
        ),
      ]
    )
    assert.equal(told[0]['x-request-id'] ?? told[0].request_id, requestId)
    for (const { level, time } of told) assert.isTrue(level === 30 && time > 1_700_000_000_000)
    for (const secret of [PASSWORD, 'wrong', token, user.email]) {
      assert.notInclude(server.output(), secret)
    }
  }).timeout(60_000)
})
