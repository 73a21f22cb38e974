import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { FileTransport } from '#mails/file_transport'
import { deviceInWords } from '#mails/wording'
import { makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startMailServer, textOf } from '#tests/harness/mail_server'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { keepPolicy } from '#tests/harness/policy'
import { startServer } from '#tests/harness/server'

test.group('Mail over SMTP', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a reset link comes by mail and sets a password, and no secret reaches the log', async ({
    assert,
    cleanup,
  }) => {
    const mailServer = await startMailServer()
    cleanup(() => mailServer.stop())
    const server = await startServer({
      env: {
        SMTP_HOST: '127.0.0.1',
        SMTP_PORT: String(mailServer.port),
        SMTP_FROM: 'Latchkey <door@example.com>',
        APP_URL: 'https://app.example.com/',
        NOTIFY_NEW_DEVICE: 'on',
        LOG_LEVEL: 'trace',
      },
    })
    cleanup(() => server.stop())
    const { email } = await makeUser()

    const asked = await call(server.url, 'POST', '/api/v1/auth/password/forgot', {
      body: { email },
      headers: { 'x-forwarded-host': 'evil.example' },
    })
    assert.equal(asked.status, 202)
    const [mail] = await mailServer.received(1)
    assert.deepEqual([mail.from, mail.to], ['door@example.com', [email]])
    assert.include(mail.source, 'Subject: Reset your password')
    const text = textOf(mail.source)
    assert.include(text, 'https://app.example.com/reset-password#token=opr_')

    const token = tokenIn(text)
    const password = 'a quite different password'
    const reset = await call(server.url, 'POST', '/api/v1/auth/password/reset', {
      body: { token, password },
    })
    assert.equal(reset.status, 204)
    const signedIn = await logIn(server.url, email, { password, device: { name: 'Phone' } })
    assert.equal(signedIn.status, 200)

    const mails = await mailServer.received(3)
    const subjects = mails.map(({ source }) => /^Subject: (.*?)\r$/m.exec(source)?.[1])
    assert.sameMembers(subjects, [
      'Reset your password',
      'Your password was changed',
      'A sign-in on a new device',
    ])
    await server.stop()
    for (const secret of [token, token.slice(4), password, PASSWORD]) {
      assert.notInclude(server.output(), secret)
    }
  }).timeout(60_000)

  test('a server that refuses mail fails no request, and the log says it without the link', async ({
    assert,
    cleanup,
  }) => {
    const mailServer = await startMailServer({ refuse: true })
    cleanup(() => mailServer.stop())
    const server = await startServer({
      env: { SMTP_HOST: '127.0.0.1', SMTP_PORT: String(mailServer.port), LOG_LEVEL: 'trace' },
    })
    cleanup(() => server.stop())
    const { email } = await makeUser()
    const asked = await call(server.url, 'POST', '/api/v1/auth/password/forgot', {
      body: { email },
    })
    assert.equal(asked.status, 202)
    await server.stop()
    assert.include(server.output(), 'A mail could not be sent.')
    assert.notInclude(server.output(), 'opr_')
    assert.notInclude(server.output(), email)
  }).timeout(60_000)
})

test.group('Mail to a file', () => {
  test('each mail is a file that only its owner reads', async ({ assert, cleanup }) => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-mails-'))
    cleanup(() => rmSync(directory, { recursive: true }))
    const transport = new FileTransport(join(directory, 'mails'))
    const { original } = await transport.send({
      to: ['ada@example.com'],
      subject: 'Hello',
      text: 'A line.',
    })
    assert.lengthOf(readdirSync(join(directory, 'mails')), 1)
    assert.equal(
      readFileSync(original.file, 'utf8'),
      'To: ada@example.com\nSubject: Hello\n\nA line.\n'
    )
    assert.equal(statSync(original.file).mode & 0o777, 0o600)
  })
})

test.group('Notice of a new device', (group) => {
  let mailbox: ReturnType<typeof openMailbox>

  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    Object.assign(sessionsConfig, { limit: 0, notifyNewDevice: true })
    mailbox = openMailbox()
    return async () => {
      await mailbox.read()
      mailbox.close()
      restore()
    }
  })

  test('comes once a device, told by its id, or by what it says and its network', async ({
    assert,
  }) => {
    const user = await makeUser()
    const phone = { id: 'phone', name: 'Phone', platform: 'ios' }
    const expected: [object, number][] = [
      [phone, 1],
      [phone, 1],
      [{ ...phone, name: 'Renamed' }, 1],
      [{ ...phone, id: 'other' }, 2],
      [{ name: 'Phone', platform: 'ios' }, 2],
      [{ name: 'Phone', platform: 'android' }, 3],
      [{ userAgent: 'curl/8' }, 4],
      [{ userAgent: 'curl/8' }, 4],
      [{ userAgent: 'curl/9' }, 4],
      [{ userAgent: 'wget/1' }, 5],
      [{ userAgent: 'wget/1', ip: '2001:db8:1:2::7' }, 6],
      [{ userAgent: 'wget/1', ip: '2001:db8:1:2::8' }, 6],
      [{ userAgent: 'wget/1', ip: null }, 7],
    ]
    for (const [device, count] of expected) {
      await signIn(user, device)
      const mails = await mailbox.read()
      assert.lengthOf(mails, count)
    }
    const mails = await mailbox.read()
    assert.equal(mails[0].to, user.email)
    assert.include(mails[0].text, 'Phone (ios)')
    assert.include(mails[3].text, 'curl')
  })

  test('comes whatever is copied of a device that is known: {0}')
    .with([
      ['its user agent', {}],
      ['its name and platform', { name: 'Phone', platform: 'ios' }],
    ] as const)
    .run(async ({ assert }, [, said]) => {
      const user = await makeUser()
      await signIn(user, { ...said, id: 'phone', ip: '192.0.2.1' })
      await signIn(user, { ...said, ip: '192.0.2.1' })
      assert.lengthOf(await mailbox.read(), 1)
      await signIn(user, { ...said, ip: '198.51.100.7' })
      assert.lengthOf(await mailbox.read(), 2)
      await signIn(user, { ...said, id: 'guessed', ip: '192.0.2.1' })
      assert.lengthOf(await mailbox.read(), 3)
    })

  test('comes ten times an hour and account at most', async ({ assert, cleanup }) => {
    clock.freeze()
    cleanup(() => clock.restore())
    const [user, other] = [await makeUser(), await makeUser()]
    for (let id = 0; id < 13; id++) await signIn(user, { id: `device ${id}` })
    await signIn(other, { id: 'phone' })
    assert.lengthOf(await mailbox.read(), 11)
    clock.advance(60 * 60 * 1000)
    await signIn(user, { id: 'another' })
    assert.lengthOf(await mailbox.read(), 12)
  })

  test('knows no device of another user', async ({ assert }) => {
    await signIn(await makeUser(), { id: 'phone' })
    await signIn(await makeUser(), { id: 'phone' })
    const mails = await mailbox.read()
    assert.lengthOf(mails, 2)
  })

  test('does not come at sign-up, nor where it is switched off', async ({ client, assert }) => {
    const email = 'new@example.com'
    const signedUp = await client.post('/api/v1/auth/signup').json({ email, password: PASSWORD })
    signedUp.assertStatus(201)
    sessionsConfig.notifyNewDevice = false
    await signIn(await makeUser(), { id: 'phone' })
    assert.isEmpty(await mailbox.read())
  })

  test('names the device on one short line, whatever the client said', ({ assert }) => {
    const name = `Phone\r\n\r\nClick https://evil.example\u0007${'x'.repeat(100)}`
    const words = deviceInWords({ name, platform: null })
    assert.notMatch(words, /\p{Cc}/u)
    assert.isAtMost(words.length, 60)
  })
})
