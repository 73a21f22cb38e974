import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from '#tests/harness/accounts'
import { backends, namedConnections, signalAll } from '#tests/harness/backends'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer, type TestServer } from '#tests/harness/server'

test.group('PostgreSQL falls silent', (group) => {
  let server: TestServer

  group.tap((one) => one.skip(process.env.DB_CONNECTION !== 'postgres', 'is about PostgreSQL'))
  group.setup(async () => {
    server = await startServer({ env: namedConnections() })
    return () => server.stop()
  })
  group.each.setup(() => emptyDatabase())

  test('connections that hang for good are given up, and others made', async ({
    assert,
    cleanup,
  }) => {
    const users = await Promise.all(Array.from({ length: 12 }, () => makeUser()))
    const logins = await Promise.all(users.map(({ email }) => logIn(server.url, email)))
    const check = ({ body }: (typeof logins)[number]) =>
      call(server.url, 'GET', '/api/v1/account', { token: body.data.token })
    await Promise.all(logins.map(check))

    const hanging = await backends()
    assert.isAbove(hanging.length, 2)
    signalAll(hanging, 'SIGSTOP')
    cleanup(() => signalAll(hanging, 'SIGCONT'))

    const began = performance.now()
    const refreshes = logins.map(({ body }) =>
      call(server.url, 'POST', '/api/v1/auth/refresh', {
        body: { refreshToken: body.data.refreshToken },
      })
    )
    const answers = await Promise.all([...logins.map(check), ...refreshes])
    assert.isBelow(performance.now() - began, 16_000)
    for (const { status, body } of answers) {
      if (status !== 200) assert.equal(`${status} ${body.errors[0].code}`, '503 E_UNAVAILABLE')
    }

    const afterwards = await Promise.all([
      ...logins.map(check),
      ...users.map(({ email }) => logIn(server.url, email)),
    ])
    for (const { status } of afterwards) assert.include([200, 401], status)
    for (const { status } of afterwards.slice(users.length)) assert.equal(status, 200)
  })
    .timeout(60_000)
    .skip(process.env.LONG !== '1', 'takes a quarter of a minute: LONG=1')

  test('a user whose row a silent node holds waits for that node alone, and not for long', async ({
    assert,
    cleanup,
  }) => {
    const [user, other] = [await makeUser(), await makeUser()]
    const silent = await db.transaction()
    cleanup(() => silent.rollback().catch(() => {}))
    await silent.rawQuery('SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE', [user.id])

    let answered = false
    const waiting = logIn(server.url, user.email).finally(() => (answered = true))
    for (let round = 0; round < 5; round++) {
      const goesOn = await logIn(server.url, other.email)
      assert.equal(goesOn.status, 200)
    }
    assert.isFalse(answered)
    const { status } = await waiting
    assert.equal(status, 200)
  }).timeout(30_000)
})
