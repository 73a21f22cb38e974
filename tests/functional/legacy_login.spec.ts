import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import db from '@adonisjs/lucid/services/db'
import { test } from '@japa/runner'
import { Webhook } from 'standardwebhooks'
import { changeEmail } from '#app/accounts/email_verification'
import clock from '#app/clock'
import { isPublic } from '#app/http/outgoing'
import accountsConfig from '#config/accounts'
import legacyLoginConfig from '#config/legacy_login'
import outgoingConfig from '#config/outgoing'
import { rateLimits } from '#config/rate_limits'
import User from '#models/user'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { jsonOfCommand } from '#tests/harness/command'
import { countRows, emptyDatabase } from '#tests/harness/database'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

type Question = { headers: Record<string, string>; body: string; url: string }

/**
 * The login of an old system, with a user whose password is `PASSWORD`.
 */
class OldLogin {
  readonly asked: Question[] = []
  readonly #server: Server
  answer: (response: ServerResponse, question: { email: string; password: string }) => void

  constructor() {
    this.answer = this.#usual
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  async #serve(request: IncomingMessage, response: ServerResponse) {
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    const headers = request.headers as Record<string, string>
    this.asked.push({ headers, body, url: `${request.method} ${request.url}` })
    this.answer(response, JSON.parse(body))
  }

  #usual: OldLogin['answer'] = (response, { password }) => {
    response.writeHead(password === PASSWORD ? 200 : 401, { 'Content-Type': 'application/json' })
    response.end(password === PASSWORD ? JSON.stringify({ emailVerified: true }) : '')
  }

  /** What it says of a user whose password is right. */
  says(account: unknown, status = 200) {
    this.answer = (response) => response.writeHead(status).end(JSON.stringify(account))
  }

  reset() {
    this.asked.length = 0
    this.answer = this.#usual
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/old/login/`
  }

  stop() {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

test.group('The login of an old system', (group) => {
  const old = new OldLogin()

  group.setup(async () => {
    const kept = [{ ...legacyLoginConfig }, { ...outgoingConfig }, { ...accountsConfig }] as const
    const url = await old.start()
    Object.assign(legacyLoginConfig, { secret: SECRET, url })
    return () => {
      old.stop()
      for (const name of ['url', 'secret', 'until'] as const) delete legacyLoginConfig[name]
      Object.assign(legacyLoginConfig, kept[0])
      Object.assign(outgoingConfig, kept[1])
      Object.assign(accountsConfig, kept[2])
    }
  })
  group.each.setup(async () => {
    await emptyDatabase()
    old.reset()
    outgoingConfig.allowPrivate = true
    accountsConfig.verifiesEmail = false
    legacyLoginConfig.until = new Date(clock.millis() + 86_400_000)
  })

  const signIn = (client: any, email = 'ada@example.com', password = PASSWORD) =>
    client.post('/api/v1/auth/login').json({ email, password })

  const importUser = (row: object) =>
    jsonOfCommand(['user:import', '-'], { input: JSON.stringify(row) })

  test('an unknown address whose password it accepts becomes an account', async ({
    client,
    assert,
  }) => {
    old.says({ externalId: 'u-1', fullName: 'Ada Lovelace', emailVerified: true })
    const answer = await signIn(client, ' Ada@Example.com')
    answer.assertStatus(200)
    const user = await User.findByOrFail('externalId', 'u-1')
    assert.equal(user.email, 'ada@example.com')
    assert.equal(user.fullName, 'Ada Lovelace')
    assert.isTrue(user.isEmailVerified)
    assert.match(user.password!, /^\$argon2id\$/)

    const again = await signIn(client)
    again.assertStatus(200)
    assert.lengthOf(old.asked, 1)
  })

  test('it is asked once, exactly where the URL says, signed like a webhook', async ({
    client,
    assert,
  }) => {
    const answer = await signIn(client)
    answer.assertStatus(200)
    const [{ headers, body, url }] = old.asked
    assert.equal(url, 'POST /old/login/')
    assert.deepEqual(JSON.parse(body), { email: 'ada@example.com', password: PASSWORD })
    assert.deepEqual(new Webhook(SECRET).verify(body, headers), JSON.parse(body))
    assert.throws(() => new Webhook(`${SECRET.slice(0, -1)}A`).verify(body, headers))
  })

  test('what it refuses is refused as any wrong password is, and leaves nothing', async ({
    client,
    assert,
  }) => {
    const answer = await signIn(client, undefined, 'another password')
    answer.assertStatus(400)
    assert.equal(answer.body().errors[0].code, 'E_INVALID_CREDENTIALS')
    assert.equal(await countRows('users'), 0)
    assert.lengthOf(old.asked, 1)
  })

  test('a user who was imported without a hash gets one', async ({ client, assert }) => {
    await importUser({ email: 'ada@example.com', externalId: 'u-1', fullName: 'Ada' })
    old.says({ externalId: 'u-1', fullName: 'Somebody else' })
    const answer = await signIn(client)
    answer.assertStatus(200)
    const user = await User.findByOrFail('email', 'ada@example.com')
    assert.match(user.password!, /^\$argon2id\$/)
    assert.equal(user.fullName, 'Ada')
    assert.equal(await countRows('users'), 1)
    const wrong = await signIn(client, undefined, 'another password')
    wrong.assertStatus(400)
    assert.lengthOf(old.asked, 1)
  })

  test('it is not asked for {0}')
    .with([
      ['a user who has a password here', () => makeUser({ email: 'ada@example.com' })],
      [
        'a user who has none and was not imported',
        () => User.create({ email: 'ada@example.com', externalId: 'u-1' }),
      ],
      [
        'an address whose account was deleted here',
        async (client: any) => {
          await makeUser({ email: 'ada@example.com' })
          const answer = await signIn(client)
          const { token } = answer.body().data
          const gone = await client
            .delete('/api/v1/account')
            .bearerToken(token)
            .json({ currentPassword: PASSWORD })
          gone.assertStatus(204)
        },
      ],
      [
        'an address that an account here had',
        async () => {
          const user = await makeUser({ email: 'ada@example.com' })
          await changeEmail(user.id, 'ada@elsewhere.example', { actor: 'command:test' })
        },
      ],
      ['anybody from its last day on', async () => (legacyLoginConfig.until = clock.now())],
    ] as const)
    .run(async ({ client, assert }, [, given]) => {
      await given(client)
      const answer = await signIn(client, 'Ada@EXAMPLE.com', 'another password')
      answer.assertStatus(400)
      assert.lengthOf(old.asked, 0)
    })

  test('a user whom it calls by another externalId is nobody here', async ({ client, assert }) => {
    await importUser({ email: 'ada@example.com', externalId: 'u-1' })
    old.says({ externalId: 'u-2' })
    const answer = await signIn(client)
    answer.assertStatus(400)
    const user = await User.findByOrFail('email', 'ada@example.com')
    assert.isNull(user.password)
  })

  test('a user who is here under another address does not get a second account', async ({
    client,
    assert,
  }) => {
    await importUser({ email: 'ada@elsewhere.example', externalId: 'u-1' })
    old.says({ externalId: 'u-1' })
    const answer = await signIn(client)
    answer.assertStatus(400)
    assert.equal(await countRows('users'), 1)
  })

  test('a disabled user is told so, after the right password', async ({ client, assert }) => {
    await importUser({ email: 'ada@example.com', disabled: true })
    const wrong = await signIn(client, undefined, 'another password')
    wrong.assertStatus(400)
    const right = await signIn(client)
    right.assertStatus(403)
    assert.equal(right.body().errors[0].code, 'E_ACCOUNT_DISABLED')
  })

  test('an address that nobody verified waits where that is required', async ({
    client,
    assert,
  }) => {
    accountsConfig.verifiesEmail = true
    old.says({ externalId: 'u-1', emailVerified: false })
    const waits = await signIn(client)
    waits.assertStatus(403)
    assert.equal(waits.body().errors[0].code, 'E_EMAIL_NOT_VERIFIED')
    assert.equal(await countRows('sessions'), 0)
    old.says({ externalId: 'u-2', emailVerified: true })
    const verified = await signIn(client, 'bob@example.com')
    verified.assertStatus(200)
  })

  test('{0} is a 503, and changes nothing')
    .with([
      [
        'a redirect',
        (response: ServerResponse) => response.writeHead(307, { Location: '/' }).end(),
      ],
      ['a fault', (response: ServerResponse) => response.writeHead(500).end('{}')],
      ['another refusal', (response: ServerResponse) => response.writeHead(403).end('{}')],
      ['no content', (response: ServerResponse) => response.writeHead(204).end()],
      ['an answer that is not JSON', (response: ServerResponse) => response.end('welcome')],
      ['a list', (response: ServerResponse) => response.end('[]')],
      ['a wrong externalId', (response: ServerResponse) => response.end('{"externalId":"ä"}')],
      ['a wrong name', (response: ServerResponse) => response.end('{"fullName":["x"]}')],
      ['a wrong flag', (response: ServerResponse) => response.end('{"emailVerified":"yes"}')],
      [
        'an answer without end',
        (response: ServerResponse) => response.end(`{"fullName":"${'x'.repeat(100_000)}"}`),
      ],
      ['a cut connection', (response: ServerResponse) => response.destroy()],
    ] as const)
    .run(async ({ client, assert }, [, answer]) => {
      old.answer = answer
      const refused = await signIn(client)
      refused.assertStatus(503)
      assert.isNotEmpty(refused.header('retry-after'))
      assert.lengthOf(old.asked, 1)
      assert.equal(await countRows('users'), 0)
      old.reset()
      const later = await signIn(client)
      later.assertStatus(200)
    })

  test('silence is a 503 after five seconds', async ({ client, assert }) => {
    old.answer = () => {}
    const began = performance.now()
    const refused = await signIn(client)
    refused.assertStatus(503)
    assert.isAbove(performance.now() - began, 4_900)
  }).timeout(30_000)

  test('without WEBHOOK_ALLOW_PRIVATE neither plain HTTP nor a private network is asked', async ({
    client,
    assert,
  }) => {
    outgoingConfig.allowPrivate = false
    const { url } = legacyLoginConfig
    const { port } = new URL(url!)
    for (const other of [
      url!,
      `https://127.0.0.1:${port}/`,
      `https://[::ffff:127.0.0.1]:${port}/`,
      `https://localhost:${port}/`,
    ]) {
      legacyLoginConfig.url = other
      const refused = await signIn(client)
      refused.assertStatus(503)
    }
    legacyLoginConfig.url = url
    assert.lengthOf(old.asked, 0)
  })

  test('guesses beyond the rate limit do not reach it', async ({ client, assert }) => {
    const { signIn: limit } = rateLimits
    rateLimits.signIn = { count: 3, windowMs: 60_000 }
    try {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => signIn(client, undefined, 'another password'))
      )
      const statuses = answers.map((answer) => answer.status()).sort()
      assert.deepEqual(statuses, [...Array(3).fill(400), ...Array(7).fill(429)])
      assert.lengthOf(old.asked, 3)
    } finally {
      rateLimits.signIn = limit
    }
  })

  test('{0}: many sign-ins at once make one account, and all succeed')
    .with([['of an unknown address'], ['of an imported user']] as const)
    .run(async ({ client, assert }, [whose]) => {
      if (whose === 'of an imported user') await importUser({ email: 'ada@example.com' })
      const answers = await Promise.all(Array.from({ length: 6 }, () => signIn(client)))
      assert.deepEqual(
        answers.map((answer) => answer.status()),
        Array(6).fill(200)
      )
      assert.equal(await countRows('users'), 1)
      assert.equal(await countRows('sessions', { ended_at: null }), 1)
      const stored = await db.from('users').firstOrFail()
      assert.match(stored.password, /^\$argon2id\$/)
    })

  test('{address} is public: {open}')
    .with([
      { address: '8.8.8.8', open: true },
      { address: '2606:4700::1111', open: true },
      { address: '64:ff9b::8.8.8.8', open: true },
      { address: '::ffff:8.8.8.8', open: true },
      ...[
        '10.0.0.1 172.16.0.1 192.168.0.1 127.0.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1',
        '255.255.255.255 192.0.0.1 198.18.0.1 192.0.2.1 240.0.0.1 ::1 :: fe80::1 fc00::1 fec0::1',
        'ff02::1 ::ffff:10.0.0.1 ::ffff:7f00:1 ::10.0.0.1 ::ffff:0:10.0.0.1 64:ff9b::10.0.0.1',
        '64:ff9b:1::8.8.8.8 2002:a00:1:: 2001::1 2001:db8::1 100::1 localhost ::7f00:1 ::a00:1 4000::1',
      ].flatMap((list) => list.split(' ').map((address) => ({ address, open: false }))),
    ])
    .run(({ assert }, { address, open }) => assert.equal(isPublic(address), open))
})
