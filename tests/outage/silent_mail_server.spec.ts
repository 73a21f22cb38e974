import { test } from '@japa/runner'
import { LEASE } from '#mails/outbox'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { startMailServer, startSilentMailServer, textOf } from '#tests/harness/mail_server'
import { tokenIn } from '#tests/harness/mailbox'
import { startServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'

const waiting = () => countRows('outgoing_mails')
const MINUTE = 60_000

const mailServerEnv = (port: number) => ({
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(port),
  APP_URL: 'https://app.example.com',
  LOG_LEVEL: 'warn',
})

test.group('Mails and servers that end', (group) => {
  group.each.setup(() => emptyDatabase())

  test('five for a silent mail server hold no stop, and the next server sends them', async ({
    assert,
    cleanup,
  }) => {
    const silent = await startSilentMailServer()
    cleanup(() => silent.stop())
    const users = await Promise.all(Array.from({ length: 5 }, () => makeUser()))
    const stopping = await startServer({
      env: { ...mailServerEnv(silent.port), SHUTDOWN_TIMEOUT: '5s' },
    })
    cleanup(() => stopping.kill())
    for (const { email } of users) {
      const body = { email }
      const asked = await call(stopping.url, 'POST', '/api/v1/auth/password/forgot', { body })
      assert.equal(asked.status, 202)
    }
    await until(() => silent.connections() >= 2, 'two are under way', 20_000)
    await until(async () => (await waiting()) === 5, 'all wait', 20_000)
    const began = performance.now()
    await stopping.stop()
    assert.isBelow(performance.now() - began, 7_000)
    assert.equal(stopping.process.exitCode, 0)
    assert.match(stopping.output(), /"mails":[12]/)
    assert.equal(await waiting(), 5)

    const mailServer = await startMailServer()
    cleanup(() => mailServer.stop())
    const next = await startServer({
      env: mailServerEnv(mailServer.port),
      clockOffset: MINUTE,
    })
    cleanup(() => next.stop())
    const mails = await mailServer.received(5)
    assert.sameMembers(
      mails.map(({ to }) => to[0]),
      users.map(({ email }) => email)
    )
    await until(async () => (await waiting()) === 0, 'none waits', 20_000)
  }).timeout(120_000)

  test('a server that is killed with a mail under way loses none, and its link works', async ({
    assert,
    cleanup,
  }) => {
    const silent = await startSilentMailServer()
    cleanup(() => silent.stop())
    const user = await makeUser()
    const killed = await startServer({ env: mailServerEnv(silent.port) })
    cleanup(() => killed.kill())
    const body = { email: user.email }
    await call(killed.url, 'POST', '/api/v1/auth/password/forgot', { body })
    await until(() => silent.connections() === 1, 'it is under way', 20_000)
    await killed.kill()
    assert.equal(await waiting(), 1)

    const mailServer = await startMailServer()
    cleanup(() => mailServer.stop())
    const next = await startServer({
      env: mailServerEnv(mailServer.port),
      clockOffset: LEASE + MINUTE,
    })
    cleanup(() => next.stop())
    const [{ source }] = await mailServer.received(1)
    const reset = await call(next.url, 'POST', '/api/v1/auth/password/reset', {
      body: { token: tokenIn(textOf(source)), password: 'a quite different password' },
    })
    assert.equal(reset.status, 204)
  }).timeout(120_000)
})
