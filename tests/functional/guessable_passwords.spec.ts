import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import { makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { rateLimits } from '#config/rate_limits'

const EMAIL = 'ada.lovelace@example.com'

const GUESSABLE: [password: string, rule: string][] = [
  ...['12345678', 'password123', 'PassWord1', 'qwertyuiop', 'iloveyou1', ' trustno1 '].map(
    (word): [string, string] => [word, 'commonPassword']
  ),
  ...[
    'latchkey1',
    'Latchkey2026!',
    'my latchkey',
    'ada.lovelace',
    'Lovelace99',
    'lovelace!!!!!!!!',
  ].map((word): [string, string] => [word, 'contextWord']),
  ['ada.lovelace@example.com', 'contextWord'],
  ['ｐａｓｓｗｏｒｄ１２３', 'commonPassword'],
]

/**
 * Every way to set a password, as a function of the password that answers whether it was refused, by
 * which rule and with which words.
 */
const WAYS: Record<
  string,
  (client: ApiClient, password: string) => Promise<{ rule?: string; message?: string } | null>
> = {
  async signup(client, password) {
    const answer = await client.post('/api/v1/auth/signup').json({ email: EMAIL, password })
    return refusalIn(answer)
  },
  async change(client, password) {
    const user = await makeUser({ email: EMAIL })
    const { tokens } = await signIn(user)
    const answer = await client
      .put('/api/v1/account/password')
      .bearerToken(tokens.token)
      .json({ currentPassword: PASSWORD, password })
    return refusalIn(answer)
  },
  async reset(client, password) {
    await makeUser({ email: EMAIL })
    const mailbox = openMailbox()
    await client.post('/api/v1/auth/password/forgot').json({ email: EMAIL })
    const [mail] = await mailbox.read()
    const answer = await client
      .post('/api/v1/auth/password/reset')
      .json({ token: tokenIn(mail.text), password })
    await mailbox.read()
    mailbox.close()
    return refusalIn(answer)
  },
}

function refusalIn(answer: { status(): number; body(): any }) {
  return answer.status() === 422 ? answer.body().errors[0] : null
}

test.group('Passwords that would be guessed first', (group) => {
  group.each.setup(() => emptyDatabase())

  test('{way} refuses them, in words for a person')
    .with(Object.keys(WAYS).map((way) => ({ way })))
    .run(async ({ client, assert }, { way }) => {
      for (const [password, rule] of GUESSABLE) {
        await emptyDatabase()
        const refusal = await WAYS[way](client, password)
        assert.containsSubset(refusal ?? {}, { field: 'password', rule }, password)
        assert.match(refusal!.message!, /Please choose another one\.$/)
        assert.notInclude(refusal!.message!, password)
      }
    })
    .timeout(60_000)

  test('{way} takes others, though they hold such a word')
    .with(Object.keys(WAYS).map((way) => ({ way })))
    .run(async ({ client, assert }, { way }) => {
      for (const password of [
        'lovelace and a difference engine',
        'xk9-tram-oboe',
        'a latchkey to the cellar',
      ]) {
        await emptyDatabase()
        assert.isNull(await WAYS[way](client, password), password)
      }
    })
    .timeout(60_000)

  test('a refused reset does not spend its link, nor count as a wrong one', async ({
    client,
    assert,
    cleanup,
  }) => {
    const { reset } = rateLimits
    rateLimits.reset = { count: 2, windowMs: 60_000 }
    const mailbox = openMailbox()
    cleanup(async () => {
      await mailbox.read()
      mailbox.close()
      rateLimits.reset = reset
    })
    await makeUser({ email: EMAIL })
    await client.post('/api/v1/auth/password/forgot').json({ email: EMAIL })
    const [mail] = await mailbox.read()
    const token = tokenIn(mail.text)
    const before = await countRows('password_resets')
    for (let tries = 0; tries < 4; tries++) {
      const refused = await client
        .post('/api/v1/auth/password/reset')
        .json({ token, password: 'password123' })
      refused.assertStatus(422)
    }
    assert.equal(await countRows('password_resets'), before)
    const done = await client
      .post('/api/v1/auth/password/reset')
      .json({ token, password: 'a quite different password' })
    done.assertStatus(204)
  })

  test('user:create refuses them too, and changes nothing', async ({ assert }) => {
    const before = await snapshot()
    for (const input of ['password123', 'latchkey1', 'lovelace99']) {
      const { exitCode, stderr } = await runCommand(['user:create', EMAIL], { input })
      assert.equal(exitCode, 2)
      assert.include(stderr, 'Please choose another one.')
      assert.notInclude(stderr, input)
    }
    assert.equal(await snapshot(), before)
  }).timeout(60_000)
})
