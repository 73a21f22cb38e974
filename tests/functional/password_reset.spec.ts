import { request } from 'node:http'
import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { hashToken } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import { makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { keepPolicy } from '#tests/harness/policy'
import { within } from '#tests/harness/pace'

const NEW = 'a quite different password'
const HOUR = 60 * 60 * 1000

const forgot = (client: ApiClient, email: unknown) =>
  client.post('/api/v1/auth/password/forgot').json({ email } as object)

const reset = (client: ApiClient, token: unknown, password: unknown = NEW) =>
  client.post('/api/v1/auth/password/reset').json({ token, password } as object)

test.group('Resetting the password', (group) => {
  let mailbox: ReturnType<typeof openMailbox>

  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    sessionsConfig.limit = 0
    mailbox = openMailbox()
    return async () => {
      await mailbox.read()
      mailbox.close()
      clock.restore()
      restore()
    }
  })

  async function linkFor(client: ApiClient, email: string): Promise<string> {
    const asked = await forgot(client, email)
    asked.assertStatus(202)
    const mails = await mailbox.read()
    return tokenIn(mails.at(-1)!.text)
  }

  for (const [what, device] of [
    ['missing', {}],
    ['empty', { id: '' }],
    ['foreign', { id: "another user's" }],
  ] as const) {
    test(`after sign-ins with a ${what} device id ends every session`, async ({
      client,
      assert,
    }) => {
      const [user, other] = [await makeUser(), await makeUser()]
      const { tokens: foreign } = await signIn(other, { id: "another user's" })
      const signedIn = []
      for (const said of [device, { id: 'another' }, device]) {
        signedIn.push(
          await client
            .post('/api/v1/auth/login')
            .json({ email: user.email, password: PASSWORD, device: said })
        )
      }
      const link = await linkFor(client, user.email)

      const done = await reset(client, link)
      done.assertStatus(204)
      for (const answer of signedIn.slice(1)) {
        const refused = await client.get('/api/v1/account').bearerToken(answer.body().data.token)
        refused.assertStatus(401)
        assert.include(['password_reset', 'replaced'], refused.body().errors[0].reason)
      }
      assert.equal(await countRows('api_tokens', { tokenable_id: user.id }), 0)
      assert.equal(await countRows('password_resets'), 0)
      const untouched = await client.get('/api/v1/account').bearerToken(foreign.token)
      untouched.assertStatus(200)

      const before = await client
        .post('/api/v1/auth/login')
        .json({ email: user.email, password: PASSWORD })
      before.assertStatus(400)
      const after = await client
        .post('/api/v1/auth/login')
        .json({ email: user.email, password: NEW })
      after.assertStatus(200)
      const again = await reset(client, link)
      again.assertStatus(422)
    })
  }

  test('a link is good for an hour, to the second', async ({ client, assert }) => {
    clock.freeze()
    const { email } = await makeUser()
    const first = await linkFor(client, email)
    clock.advance(HOUR - 1000)
    const inTime = await reset(client, first)
    inTime.assertStatus(204)

    const second = await linkFor(client, email)
    clock.advance(HOUR)
    const late = await reset(client, second)
    late.assertStatus(422)
    assert.equal(late.body().errors[0].rule, 'resetToken')
  })

  test('an account is mailed one link a minute, and each works until one is used', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const { email } = await makeUser()
    const older = await linkFor(client, email)
    const hurried = await forgot(client, email)
    hurried.assertStatus(202)
    assert.equal(await countRows('password_resets'), 1)
    clock.advance(60_000)
    const newer = await linkFor(client, email)
    assert.notEqual(newer, older)
    const done = await reset(client, older)
    done.assertStatus(204)
    const spent = await reset(client, newer)
    spent.assertStatus(422)
  })

  test('whatever is no token is refused and changes nothing', async ({ client, assert }) => {
    const user = await makeUser()
    const link = await linkFor(client, user.email)
    const before = await snapshot()
    const hostile = [
      ...['', ' ', null, undefined, 0, true, {}, [], [link], { token: link }, [[]]],
      ...[
        link + ' ',
        ` ${link}`,
        link.slice(0, -1),
        link.toUpperCase(),
        `${link}\0`,
        '%',
        "' OR 1=1",
      ],
      ...[hashToken(link), link.replace('opr_', 'oat_'), 'opr_', 'x'.repeat(10_000)],
    ]
    for (const token of hostile) {
      const refused = await reset(client, token)
      refused.assertStatus(422)
      assert.equal(await snapshot(), before)
    }
    const weak = await reset(client, link, 'short')
    weak.assertStatus(422)
    assert.equal(await snapshot(), before)
  })

  test("a link changes its own user's password and no other", async ({ client, assert }) => {
    const [ada, bob] = [await makeUser(), await makeUser()]
    const { tokens } = await signIn(bob)
    const link = await linkFor(client, ada.email)
    const done = await client
      .post(`/api/v1/auth/password/reset?email=${bob.email}&token=x`)
      .json({ token: link, password: NEW, email: bob.email, userId: bob.id })
    done.assertStatus(204)
    const alive = await client.get('/api/v1/account').bearerToken(tokens.token)
    alive.assertStatus(200)
    const row = await db.from('users').where('id', bob.id).firstOrFail()
    assert.equal(row.password, bob.password)
  })

  test('a link of an account that was disabled meanwhile is worthless', async ({ client }) => {
    const user = await makeUser()
    const link = await linkFor(client, user.email)
    await db.from('users').where('id', user.id).update({ disabled_at: clock.now() })
    const refused = await reset(client, link)
    refused.assertStatus(422)
  })

  test('forgot answers the same for known, unknown and disabled, and mails the known alone', async ({
    client,
    assert,
  }) => {
    const known = await makeUser()
    const disabled = await makeUser()
    await db.from('users').where('id', disabled.id).update({ disabled_at: clock.now() })
    const answers = []
    for (const email of [
      known.email,
      ` ${known.email.toUpperCase()} `,
      disabled.email,
      'no@example.com',
    ]) {
      answers.push(await forgot(client, email))
    }
    for (const answer of answers) {
      answer.assertStatus(202)
      assert.deepEqual(answer.body(), answers[0].body())
      const names = Object.keys(answer.headers()).sort()
      assert.deepEqual(names, Object.keys(answers[0].headers()).sort())
    }
    const mails = await mailbox.read()
    assert.deepEqual(
      mails.map((mail) => mail.to),
      [known.email]
    )
    assert.equal(await countRows('session_events', { type: 'password.reset_requested' }), 1)
    for (const email of ['', 'nobody', null, ['a@example.com'], { a: 1 }, 'a@b.c\0']) {
      const invalid = await forgot(client, email)
      invalid.assertStatus(422)
    }
  })

  test('only the hash of a link is stored, and the log holds nothing of it', async ({
    client,
    assert,
  }) => {
    const { email } = await makeUser()
    const link = await linkFor(client, email)
    assert.match(link, /^opr_[A-Za-z0-9_-]{43}$/)
    const stored = await snapshot()
    assert.notInclude(stored, link.slice(4))
    assert.include(stored, hashToken(link))
    const events = await db.from('session_events')
    assert.notInclude(JSON.stringify(events), hashToken(link))
  })

  test('what a request says of hosts never reaches a link', async ({ assert }) => {
    const { HOST, PORT } = process.env
    for (const headers of [
      { 'host': 'evil.example', 'x-forwarded-host': 'evil.example' },
      { host: 'evil.example:80', forwarded: 'host=evil.example;proto=https' },
      {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'origin': 'https://evil.example',
        'referer': 'https://evil.example/',
      },
    ]) {
      const { email } = await makeUser()
      const status = await new Promise((resolve, reject) => {
        const sent = request(
          {
            host: HOST,
            port: PORT,
            path: '/api/v1/auth/password/forgot',
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
          },
          (response) => resolve(response.resume().statusCode)
        )
        sent.on('error', reject).end(JSON.stringify({ email }))
      })
      assert.equal(status, 202)
    }
    const mails = await mailbox.read()
    assert.lengthOf(mails, 3)
    for (const { text } of mails) {
      assert.include(text, '\nhttp://localhost:3333/reset-password#token=opr_')
      assert.notInclude(text, 'evil')
    }
  })

  test('forgot takes as long for an unknown e-mail as for a known one', async ({
    client,
    assert,
  }) => {
    const { email } = await makeUser()
    const median = async (address: string) => {
      const times: number[] = []
      for (let round = 0; round < 40; round++) {
        const began = performance.now()
        await forgot(client, address)
        times.push(performance.now() - began)
      }
      return times.sort((a, b) => a - b)[20]
    }
    await median('warm.up@example.com')
    const unknown = await median('no@example.com')
    const known = await median(email)
    assert.isBelow(Math.abs(known - unknown), within(0.5 * Math.min(known, unknown) + 1))
  })
})
