import { test } from '@japa/runner'
import clock from '#app/clock'
import db from '@adonisjs/lucid/services/db'
import AddEmailKey from '#database/migrations/1766000000002_add_email_key'
import { findUser } from '#app/accounts/find_users'
import { normalizeEmail } from '#models/email_address'
import { makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { basicHeader, makeClient } from '#tests/harness/service_clients'

/** Spellings of one mailbox each, the normal form first. */
const MAILBOXES = [
  ['ada@example.com', ' ADA@Example.COM ', 'ada@ｅｘａｍｐｌｅ.com', 'ada@example。com'],
  ['zoë@example.com', 'zoe\u0308@example.com', 'ZOË@example.com', 'ZOE\u0308@EXAMPLE.com'],
  [
    'a@xn--bcher-kva.example',
    'a@bücher.example',
    'a@bu\u0308cher.example',
    'A@BÜCHER.example',
    'a@XN--BCHER-KVA.example',
  ],
]

const REFUSED = [
  'a\r\nBcc: x@example.com',
  'a@example.com\nx',
  'a\u0000@example.com',
  'a\u0007@example.com',
  'a\u200b@example.com',
  'a\u202e@example.com',
  'a\u2028@example.com',
  'a@',
  '@example.com',
  'a@exa mple.com',
  'a\ud800@example.com',
  /** What a URL reads as more than a host, or hides in one. */
  ...[
    '/evil',
    '/',
    '?x',
    '#',
    '#x',
    '\\evil',
    ':80',
    ':',
    '%',
    '%2e',
    ';',
    ',b.com',
    '"',
    '|',
    '(c)',
  ].map((more) => `a@EXAMPLE.COM${more}`),
  'a@ex%61mple.com',
  'a@%65xample.com',
  'a@example%2Ecom',
  'a@example.com／evil',
  'a@example.com？x',
  'a@ex％61mple.com',
  'a@[::1]',
]

test.group('E-mail addresses', (group) => {
  group.each.setup(() => emptyDatabase())

  test('one mailbox is one account, at sign-up, sign-in, forgot and for operators', async ({
    client,
    assert,
    cleanup,
  }) => {
    const mailbox = openMailbox()
    cleanup(() => mailbox.close())
    clock.freeze()
    cleanup(() => clock.restore())
    for (const [normal, ...spellings] of MAILBOXES) {
      await emptyDatabase()
      const made = await client
        .post('/api/v1/auth/signup')
        .json({ email: spellings.at(-1), password: PASSWORD })
      made.assertStatus(201)
      assert.equal(made.body().data.user.email, normal)
      const already = await mailbox.read()
      for (const email of [normal, ...spellings]) {
        /** An account is mailed one link a minute. */
        clock.advance(61_000)
        const again = await client.post('/api/v1/auth/signup').json({ email, password: PASSWORD })
        again.assertStatus(422)
        assert.equal(again.body().errors[0].rule, 'unique')
        const login = await client.post('/api/v1/auth/login').json({ email, password: PASSWORD })
        login.assertStatus(200)
        const forgot = await client.post('/api/v1/auth/password/forgot').json({ email })
        forgot.assertStatus(202)
        await mailbox.read()
        const found = await findUser(email)
        assert.equal(found?.email, normal)
      }
      const mails = await mailbox.read()
      assert.lengthOf(mails, already.length + 1 + spellings.length)
      assert.equal(mails.at(-1)!.to, normal)
      assert.equal(await countRows('users'), 1)
    }
  })

  test('controls, line breaks and what can not be seen are refused everywhere', async ({
    client,
    assert,
  }) => {
    for (const email of REFUSED) {
      for (const path of ['signup', 'login', 'password/forgot']) {
        const answer = await client.post(`/api/v1/auth/${path}`).json({ email, password: PASSWORD })
        answer.assertStatus(422)
        assert.equal(answer.body().errors[0].field, 'email')
      }
      assert.isNull(normalizeEmail(`${email}x\n@example.com`))
    }
    assert.equal(await countRows('users'), 0)
  })

  test('case is folded as Unicode says: {0}')
    .with([
      ['straße', 'STRASSE', 'STRAẞE', 'straſſe'],
      ['ΟΔΟΣ', 'οδος', 'οδοσ'],
      ['K', 'k', '\u212a'],
      ['İ', 'i\u0307'],
      ['ŉ', 'ʼN'],
    ])
    .run(({ assert }, spellings) => {
      const forms = spellings.map((local) => normalizeEmail(`${local}@example.com`))
      assert.isNotNull(forms[0])
      assert.lengthOf(new Set(forms), 1)
      assert.equal(normalizeEmail(forms[0]!), forms[0])
    })

  test('a dotless i is no i, also for an account that is spelt with it', async ({
    client,
    assert,
  }) => {
    const dotted = await makeUser({ email: 'ismail@example.com' })
    const dotless = await client
      .post('/api/v1/auth/signup')
      .json({ email: 'ısmaıl@EXAMPLE.com', password: PASSWORD })
    dotless.assertStatus(201)
    const { email, id } = dotless.body().data.user
    assert.equal(email, 'ısmaıl@example.com')
    for (const [spelling, owner] of [
      ['ISMAIL@example.com', dotted.id],
      ['ısmaıl@example.com', id],
    ]) {
      const found = await findUser(spelling)
      assert.equal(found?.id, owner)
    }
  })

  test('a look-alike is an account of its own, told as unverified', async ({ client, assert }) => {
    await makeUser({ email: 'ada@example.com' })
    const { tokens } = await signIn(await makeUser({ email: '\u0430da@example.com' }))
    const forward = await client.get('/forward-auth').bearerToken(tokens.token)
    assert.equal(forward.header('x-auth-user-email-verified'), 'false')
    const asker = await makeClient(['introspect'])
    const told = await client
      .post('/oauth/introspect')
      .header('Authorization', basicHeader(asker.id, asker.secret))
      .form({ token: tokens.token })
    assert.equal(told.body().email_verified, false)
  })

  test('a reset by mail verifies the address', async ({ client, assert, cleanup }) => {
    const mailbox = openMailbox()
    cleanup(async () => {
      await mailbox.read()
      mailbox.close()
    })
    const { email } = await makeUser()
    await client.post('/api/v1/auth/password/forgot').json({ email })
    const [mail] = await mailbox.read()
    const password = 'a quite different password'
    const reset = await client
      .post('/api/v1/auth/password/reset')
      .json({ token: tokenIn(mail.text), password })
    reset.assertStatus(204)
    const login = await client.post('/api/v1/auth/login').json({ email, password })
    const forward = await client.get('/forward-auth').bearerToken(login.body().data.token)
    assert.equal(forward.header('x-auth-user-email-verified'), 'true')
  })

  test('accounts that collided before keep working, each by its spelling; no third comes', async ({
    client,
    assert,
  }) => {
    const [, unicode, decomposed] = MAILBOXES[2]
    const [older, newer] = [await makeUser(), await makeUser()]
    const plain = await makeUser({ email: 'plain@example.com' })
    await db.from('users').update({ email_key: null })
    await db.from('users').where('id', older.id).update({ email: unicode })
    await db.from('users').where('id', newer.id).update({ email: decomposed })

    await AddEmailKey.fillKeys(db.connection())
    for (const [user, email] of [
      [older, unicode],
      [newer, decomposed],
      [older, MAILBOXES[2][0]],
      [plain, 'PLAIN@example.com'],
    ] as const) {
      const login = await client.post('/api/v1/auth/login').json({ email, password: PASSWORD })
      login.assertStatus(200)
      assert.equal(login.body().data.user.id, user.id)
    }
    const third = await client
      .post('/api/v1/auth/signup')
      .json({ email: MAILBOXES[2][0], password: PASSWORD })
    third.assertStatus(422)
    assert.equal(await countRows('users'), 3)
  })
})
