import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import db from '@adonisjs/lucid/services/db'
import { changeEmail, confirmEmail } from '#app/accounts/email_verification'
import { mintLink } from '#app/accounts/mailed_links'
import { tokenOfLink } from '#mails/link'
import clock from '#app/clock'
import { prune } from '#app/jobs/prune'
import { withUserLock } from '#app/sessions/user_lock'
import { hashToken } from '#app/tokens/token'
import accountsConfig from '#config/accounts'
import { rateLimits } from '#config/rate_limits'
import type User from '#models/user'
import { makeUser, signIn, PASSWORD, type UserWithEmail } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { within } from '#tests/harness/pace'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const NEW = 'a quite different password'

let mailbox: ReturnType<typeof openMailbox>

async function prepare() {
  await emptyDatabase()
  const before = { ...accountsConfig }
  const limits = { ...rateLimits }
  accountsConfig.verifiesEmail = true
  mailbox = openMailbox()
  return async () => {
    await mailbox.read()
    mailbox.close()
    clock.restore()
    Object.assign(accountsConfig, before)
    Object.assign(rateLimits, limits)
  }
}

const post = (client: ApiClient, path: string, body: object) =>
  client.post(`/api/v1/auth/${path}`).json(body)
const signUp = (client: ApiClient, email: string, password = PASSWORD) =>
  post(client, 'signup', { email, password })
const logIn = (client: ApiClient, email: string, password = PASSWORD) =>
  post(client, 'login', { email, password })
const verify = (client: ApiClient, email: string) => post(client, 'email/verify', { email })
const confirm = (client: ApiClient, token: unknown) => post(client, 'email/confirm', { token })
const reset = (client: ApiClient, token: string, password = NEW) =>
  post(client, 'password/reset', { token, password })
const change = (client: ApiClient, token: string, email: unknown) =>
  client
    .put('/api/v1/account/email')
    .bearerToken(token)
    .json({ email } as object)

const mailsTo = async (email: string) => {
  const mails = await mailbox.read()
  return mails.filter(({ to }) => to === email)
}
const lastToken = async (email: string) => {
  const mails = await mailsTo(email)
  return tokenIn(mails.at(-1)!.text)
}
const codeOf = (answer: { body: () => any }) => answer.body().errors[0].code
const rowOf = ({ id }: { id: number }) => db.from('users').where('id', id).firstOrFail()
const emailOf = async (user: { id: number }): Promise<string> => {
  const row = await rowOf(user)
  return row.email
}
const allEmails = async (): Promise<string[]> => {
  const users = await db.from('users')
  return users.map((user) => user.email)
}
const isVerified = async (user: { id: number }): Promise<boolean> => {
  const row = await rowOf(user)
  return row.email_verified_at !== null
}
const textsTo = async (email: string) => {
  const mails = await mailsTo(email)
  return mails.map(({ text }) => text)
}

/** What everybody sees of an answer. */
const seen = (answer: { status: () => number; body: () => any; headers: () => object }) => ({
  status: answer.status(),
  body: answer.body(),
  headers: Object.keys(answer.headers()).sort(),
})

test.group('Sign-up with a verified e-mail', (group) => {
  group.each.setup(prepare)

  test('gives no tokens, and the password signs in once the link was followed', async ({
    client,
    assert,
  }) => {
    const email = 'ada@example.com'
    const made = await signUp(client, email)
    made.assertStatus(202)
    assert.deepEqual(Object.keys(made.body().data), ['message'])
    assert.equal(await countRows('sessions'), 0)

    const wrong = await logIn(client, email, 'not the password')
    assert.equal(codeOf(wrong), 'E_INVALID_CREDENTIALS')
    const early = await logIn(client, email)
    early.assertStatus(403)
    assert.equal(codeOf(early), 'E_EMAIL_NOT_VERIFIED')
    assert.equal(await countRows('sessions'), 0)

    const [mail] = await mailsTo(email)
    assert.include(mail.text, '\nhttp://localhost:3333/confirm-email#token=oev_')
    const token = tokenIn(mail.text)
    const stored = await snapshot()
    assert.notInclude(stored, token.slice(4))
    assert.include(stored, hashToken(token))

    const confirmed = await confirm(client, token)
    confirmed.assertStatus(204)
    const again = await confirm(client, token)
    again.assertStatus(422)
    assert.containsSubset(again.body().errors[0], { field: 'token', rule: 'emailToken' })
    const login = await logIn(client, email)
    login.assertStatus(200)
    const forward = await client.get('/forward-auth').bearerToken(login.body().data.token)
    assert.equal(forward.header('x-auth-user-email-verified'), 'true')
    assert.equal(await countRows('session_events', { type: 'email.verified' }), 1)
  })

  test('answers the same for a taken address and tells its owner, once a minute', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const owner = await makeUser({ email: 'ada@example.com' })
    const free = await signUp(client, 'free@example.com')
    const taken = await signUp(client, ' ADA@example.com ')
    assert.deepEqual(seen(taken), seen(free))
    const hurried = await signUp(client, owner.email, NEW)
    assert.deepEqual(seen(hurried), seen(free))
    clock.advance(MINUTE)
    await mailbox.read()
    const later = await signUp(client, owner.email, NEW)
    assert.deepEqual(seen(later), seen(free))

    const mails = await mailsTo(owner.email)
    assert.deepEqual(
      mails.map(({ subject }) => subject),
      ['You have an account already', 'You have an account already']
    )
    assert.equal(await countRows('users'), 2)
    const row = await db.from('users').where('id', owner.id).firstOrFail()
    assert.equal(row.password, owner.password)
    const login = await logIn(client, owner.email)
    login.assertStatus(200)
  })

  test('a password that is refused is refused for a taken address as well', async ({
    client,
    assert,
  }) => {
    await makeUser({ email: 'ada@example.com' })
    const taken = await signUp(client, 'ada@example.com', 'password1')
    const free = await signUp(client, 'free@example.com', 'password1')
    free.assertStatus(422)
    assert.deepEqual(seen(taken), seen(free))
  })

  test('a stranger who signed up first with the address gains nothing', async ({ client }) => {
    clock.freeze()
    const email = 'ada@example.com'
    await signUp(client, email, 'the password of a stranger')
    clock.advance(MINUTE)
    await signUp(client, email)
    const done = await reset(client, await lastToken(email))
    done.assertStatus(204)
    const stranger = await logIn(client, email, 'the password of a stranger')
    stranger.assertStatus(400)
    const owner = await logIn(client, email, NEW)
    owner.assertStatus(200)
    const [first] = await mailsTo(email)
    const dead = await confirm(client, tokenIn(first.text))
    dead.assertStatus(422)
  })

  test('while two have signed up with it, no password and no link but that of the owner counts', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const email = 'vic@example.com'
    const stranger = 'the password of a stranger'
    await signUp(client, email, stranger)
    const first = await lastToken(email)
    await signUp(client, ' VIC@example.com ')
    const followed = await confirm(client, first)
    followed.assertStatus(422)

    const [asked, told] = await textsTo(email)
    assert.include(asked, 'Confirm only if you')
    assert.include(told, 'Passwords given so far do not count')
    const link = await lastToken(email)
    assert.match(link, /^opr_/)

    /** Nor does a link that is asked for later bring the password of the first back. */
    clock.advance(MINUTE)
    await verify(client, email)
    const confirmed = await confirm(client, await lastToken(email))
    confirmed.assertStatus(204)
    for (const password of [stranger, PASSWORD, '']) {
      const login = await logIn(client, email, password)
      assert.notEqual(login.status(), 200)
    }
    const set = await reset(client, link)
    set.assertStatus(204)
    const owner = await logIn(client, email, NEW)
    owner.assertStatus(200)
  })

  test('a third sign-up within the minute leaves the link that is out, and stops the one to verify', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const email = 'vic@example.com'
    await signUp(client, email)
    const first = await lastToken(email)
    await post(client, 'password/forgot', { email })
    const link = await lastToken(email)
    await signUp(client, email)
    assert.lengthOf(await mailsTo(email), 2)
    const followed = await confirm(client, first)
    followed.assertStatus(422)
    const set = await reset(client, link)
    set.assertStatus(204)
    const owner = await logIn(client, email, NEW)
    owner.assertStatus(200)
  })

  test('an address that nobody verified comes free after a week, to the second', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const email = 'vic@example.com'
    await signUp(client, email, 'the password of a stranger')
    const row = await db.from('users').where({ email }).firstOrFail()
    const { tokens } = await signIn(await makeUser({ email: 'ada@example.com' }))
    await change(client, tokens.token, email)
    assert.lengthOf(await mailsTo(email), 1)

    clock.advance(7 * DAY - 1000)
    const early = await prune({ olderThan: 30 * DAY })
    assert.equal(early.unverified, 0)
    clock.advance(1000)
    const stopped = await prune({ olderThan: 30 * DAY, signal: AbortSignal.abort() })
    assert.equal(stopped.unverified, 0)
    accountsConfig.verifiesEmail = false
    const unasked = await prune({ olderThan: 30 * DAY })
    assert.equal(unasked.unverified, 0)
    accountsConfig.verifiesEmail = true
    const pruned = await prune({ olderThan: 30 * DAY })
    assert.equal(pruned.unverified, 1)

    const event = await db.from('session_events').where('type', 'user.deleted').firstOrFail()
    assert.deepEqual([event.user_id, event.actor], [row.id, 'system'])
    assert.deepEqual(await allEmails(), ['ada@example.com'])
    assert.equal(await countRows('password_resets', { purpose: 'verify' }), 0)
    await signUp(client, email)
    const confirmed = await confirm(client, await lastToken(email))
    confirmed.assertStatus(204)
    const owner = await logIn(client, email)
    owner.assertStatus(200)
  })

  test("more unverified sign-ups than a batch holds go, and no account that is anybody's", async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const at = { created_at: clock.now(), updated_at: clock.now() }
    const waiting = (index: number) => ({
      email: `${index}@example.com`,
      password: '',
      must_verify_email: true,
      ...at,
    })
    for (let start = 0; start < 250; start += 50) {
      const rows = Array.from({ length: 50 }, (_, index) => waiting(start + index))
      await db.table('users').multiInsert(rows)
    }
    const kept: Record<string, object> = {
      'verified@example.com': { email_verified_at: clock.now() },
      'before@example.com': { must_verify_email: false },
      'disabled@example.com': { disabled_at: clock.now() },
      'root@example.com': { role: 'admin' },
      'known@example.com': { external_id: 'known' },
    }
    for (const [email, traits] of Object.entries(kept)) {
      await db.table('users').insert({ ...waiting(0), email, ...traits })
    }
    accountsConfig.verifiesEmail = false
    for (const email of ['used@example.com', 'moved@example.com']) await signUp(client, email)
    await db
      .from('users')
      .whereIn('email', ['used@example.com', 'moved@example.com'])
      .update({ must_verify_email: true })
    accountsConfig.verifiesEmail = true

    /** Who verified once, and was given another address by an operator, is not waiting. */
    const moved = await db.from('users').where('email', 'moved@example.com').firstOrFail()
    await verify(client, moved.email)
    await confirm(client, await lastToken(moved.email))
    await changeEmail(moved.id, 'elsewhere@example.com', { actor: 'command:user:email' })
    await db.from('sessions').where('user_id', moved.id).delete()
    await db.from('api_tokens').where('tokenable_id', moved.id).delete()

    clock.advance(8 * DAY)
    const { unverified } = await prune({ olderThan: 30 * DAY })
    assert.equal(unverified, 250)
    assert.sameMembers(await allEmails(), [
      ...Object.keys(kept),
      'used@example.com',
      'elsewhere@example.com',
    ])
    const login = await logIn(client, 'elsewhere@example.com')
    login.assertStatus(200)
  })

  test('of several at once with one address one makes the account', async ({ client, assert }) => {
    const spellings = ['ada@example.com', 'ADA@example.com', ' ada@EXAMPLE.com']
    const answers = await Promise.all(spellings.map((email) => signUp(client, email)))
    for (const answer of answers) assert.deepEqual(seen(answer), seen(answers[0]))
    assert.equal(answers[0].status(), 202)
    assert.equal(await countRows('users'), 1)
    assert.equal(await countRows('session_events', { type: 'user.created' }), 1)
  })

  test('takes as long for a taken address as for a free one', async ({ client, assert }) => {
    const owner = await makeUser()
    const median = async (address: (round: number) => string) => {
      const times: number[] = []
      for (let round = 0; round < 15; round++) {
        const began = performance.now()
        await signUp(client, address(round))
        times.push(performance.now() - began)
      }
      return times.sort((a, b) => a - b)[7]
    }
    await median((round) => `warm${round}@example.com`)
    const free = await median((round) => `free${round}@example.com`)
    const taken = await median(() => owner.email)
    assert.isBelow(Math.abs(free - taken), within(0.5 * Math.min(free, taken) + 1))
  }).timeout(60_000)

  test('accounts from before sign in, and are not told as verified', async ({ client, assert }) => {
    accountsConfig.verifiesEmail = false
    const made = await signUp(client, 'ada@example.com')
    made.assertStatus(201)
    accountsConfig.verifiesEmail = true
    for (const { email } of [{ email: 'ada@example.com' }, await makeUser()]) {
      const login = await logIn(client, email)
      login.assertStatus(200)
      const forward = await client.get('/forward-auth').bearerToken(login.body().data.token)
      assert.equal(forward.header('x-auth-user-email-verified'), 'false')
    }
  })

  test('holds for as long as it is required', async ({ client }) => {
    await signUp(client, 'ada@example.com')
    accountsConfig.verifiesEmail = false
    const login = await logIn(client, 'ada@example.com')
    login.assertStatus(200)
  })

  test('a refusal for want of it is no wrong guess', async ({ client }) => {
    rateLimits.signIn = { count: 2, windowMs: MINUTE }
    await signUp(client, 'ada@example.com')
    for (let round = 0; round < 4; round++) {
      const refused = await logIn(client, 'ada@example.com')
      refused.assertStatus(403)
    }
  })
})

test.group('Asking for a link to verify', (group) => {
  group.each.setup(prepare)

  test('answers the same for everybody, and mails the unverified alone', async ({
    client,
    assert,
  }) => {
    const unverified = await makeUser()
    const [verified, disabled] = [await makeUser(), await makeUser()]
    await db.from('users').where('id', verified.id).update({ email_verified_at: clock.now() })
    await db.from('users').where('id', disabled.id).update({ disabled_at: clock.now() })
    const answers = []
    for (const email of [unverified.email, verified.email, disabled.email, 'no@example.com']) {
      answers.push(await verify(client, email))
    }
    for (const answer of answers) {
      answer.assertStatus(202)
      assert.deepEqual(seen(answer), seen(answers[0]))
    }
    const mails = await mailbox.read()
    assert.deepEqual(
      mails.map(({ to }) => to),
      [unverified.email]
    )
    assert.equal(await countRows('password_resets'), 1)
  })

  test('mails one link a minute, each of which works, for a day to the second', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const user = await makeUser()
    await verify(client, user.email)
    const older = await lastToken(user.email)
    const hurried = await verify(client, user.email)
    hurried.assertStatus(202)
    assert.lengthOf(await mailsTo(user.email), 1)
    clock.advance(MINUTE)
    await verify(client, user.email)
    const newer = await lastToken(user.email)
    assert.notEqual(newer, older)

    clock.advance(DAY - MINUTE)
    const late = await confirm(client, older)
    late.assertStatus(422)
    clock.advance(MINUTE - 1000)
    const inTime = await confirm(client, newer)
    inTime.assertStatus(204)
    assert.isTrue(await isVerified(user))
  })

  test('what others ask for elsewhere holds up nobody, and one network may ask so often', async ({
    client,
    assert,
  }) => {
    rateLimits.reset = { count: 2, windowMs: MINUTE }
    const { email } = await makeUser()
    const statuses: number[] = []
    for (let round = 0; round < 3; round++) {
      const answer = await verify(client, email)
      statuses.push(answer.status())
    }
    assert.deepEqual(statuses, [202, 202, 429])
    const other = await verify(client, 'other@example.com')
    other.assertStatus(202)
  })

  test('the link of the mail leads to the page that is configured', async ({ client, assert }) => {
    accountsConfig.emailPage = 'https://team.example/welcome'
    accountsConfig.resetPage = 'https://team.example/password'
    const { email } = await makeUser()
    await verify(client, email)
    await post(client, 'password/forgot', { email })
    const sent = await textsTo(email)
    const texts = sent.join()
    assert.include(texts, '\nhttps://team.example/welcome#token=oev_')
    assert.include(texts, '\nhttps://team.example/password#token=opr_')
  })
})

test.group('Confirming an e-mail', (group) => {
  group.each.setup(prepare)

  test('whatever is no token is refused and changes nothing', async ({ client, assert }) => {
    const user = await makeUser()
    await verify(client, user.email)
    const token = await lastToken(user.email)
    const before = await snapshot()
    const hostile = [
      ...['', ' ', null, undefined, 0, true, {}, [], [token], `${token} `, token.slice(0, -1)],
      ...[`${token}\0`, hashToken(token), token.replace('oev_', 'opr_'), 'x'.repeat(10_000)],
    ]
    for (const value of hostile) {
      const refused = await confirm(client, value)
      refused.assertStatus(422)
    }
    const other = await reset(client, token)
    other.assertStatus(422)
    assert.equal(await snapshot(), before)
  })

  test('tokens can not be found by trying', async ({ client, assert }) => {
    rateLimits.reset = { count: 3, windowMs: MINUTE }
    const statuses: number[] = []
    for (let guess = 0; guess < 4; guess++) {
      const answer = await confirm(client, `oev_${guess}`)
      statuses.push(answer.status())
    }
    assert.deepEqual(statuses, [422, 422, 422, 429])
  })

  test('of many at once with one token one succeeds', async ({ client, assert }) => {
    for (const purpose of ['verify', 'change'] as const) {
      const user = await makeUser()
      const token = await withUserLock(user.id, (trx) =>
        mintLink(trx, user, purpose, purpose === 'change' ? { email: 'new@example.com' } : {}).then(
          (made) => made && tokenOfLink(made)
        )
      )
      const answers = await Promise.all(Array.from({ length: 6 }, () => confirm(client, token)))
      assert.deepEqual(answers.map((answer) => answer.status()).sort(), [
        204,
        ...Array<number>(5).fill(422),
      ])
      assert.isTrue(await isVerified(user))
    }
  })

  test('a link made by an older version resets the password', async ({ client }) => {
    const user = await makeUser()
    await db.table('password_resets').insert({
      hash: hashToken('opr_of an older version'),
      user_id: user.id,
      created_at: clock.now(),
      expires_at: new Date(clock.millis() + MINUTE),
    })
    const wrongDoor = await confirm(client, 'opr_of an older version')
    wrongDoor.assertStatus(422)
    const done = await reset(client, 'opr_of an older version')
    done.assertStatus(204)
  })
})

test.group('Changing the e-mail', (group) => {
  group.each.setup(prepare)

  test('takes effect once the link at the new address is followed, and tells the old one', async ({
    client,
    assert,
  }) => {
    const user = await makeUser({ email: 'ada@example.com' })
    const { tokens } = await signIn(user)
    const asked = await change(client, tokens.token, ' Ada@Lovelace.example ')
    asked.assertStatus(202)
    const mails = await mailbox.read()
    assert.sameMembers(
      mails.map(({ to, subject }) => `${to}: ${subject}`),
      [
        'ada@example.com: Your e-mail address is about to change',
        'ada@lovelace.example: Confirm your e-mail address',
      ]
    )
    const [notice] = await mailsTo('ada@example.com')
    assert.notInclude(notice.text, '#token=')
    assert.equal(await emailOf(user), 'ada@example.com')
    assert.isFalse(await isVerified(user))

    const confirmed = await confirm(client, await lastToken('ada@lovelace.example'))
    confirmed.assertStatus(204)
    assert.equal(await emailOf(user), 'ada@lovelace.example')
    assert.isTrue(await isVerified(user))
    const account = await client.get('/api/v1/account').bearerToken(tokens.token)
    account.assertStatus(200)
    assert.equal(account.body().data.user.email, 'ada@lovelace.example')
    const old = await logIn(client, 'ada@example.com')
    old.assertStatus(400)
    const login = await logIn(client, 'ADA@lovelace.example')
    login.assertStatus(200)

    const events = await db.from('session_events').where('user_id', user.id)
    assert.includeMembers(
      events.map(({ type }) => type),
      ['email.change_requested', 'email.changed']
    )
    assert.notInclude(JSON.stringify(events), 'ovelace')
  })

  test('is not made when the session that asked for it has ended: {0}')
    .with([['evicted'], ['signed out by itself'], ['signed out everywhere']] as const)
    .run(async ({ client }, [how]) => {
      const user = await makeUser()
      const thief = await signIn(user, { device: { id: null, name: 'thief', platform: null } })
      const asked = await change(client, thief.tokens.token, 'thief@example.com')
      asked.assertStatus(202)
      const token = await lastToken('thief@example.com')
      if (how === 'evicted') await signIn(user)
      else {
        const path = how === 'signed out by itself' ? 'logout' : 'logout-all'
        await client.post(`/api/v1/auth/${path}`).bearerToken(thief.tokens.token)
      }
      const followed = await confirm(client, token)
      followed.assertStatus(422)
    })

  test('wants a fresh sign-in of a session', async ({ client, assert }) => {
    clock.freeze()
    const { tokens } = await signIn(await makeUser())
    const key = await client
      .post('/api/v1/api-keys')
      .bearerToken(tokens.token)
      .json({ name: 'Export' })
    const byKey = await change(client, key.body().data.key, 'new@example.com')
    byKey.assertStatus(403)
    clock.advance(10 * MINUTE)
    const stale = await change(client, tokens.token, 'new@example.com')
    stale.assertStatus(401)
    assert.equal(codeOf(stale), 'E_REAUTHENTICATION_REQUIRED')
    assert.equal(await countRows('password_resets'), 0)
    await client.post('/api/v1/auth/confirm').bearerToken(tokens.token).json({ password: PASSWORD })
    const fresh = await change(client, tokens.token, 'new@example.com')
    fresh.assertStatus(202)
  })

  test('shows nothing of a taken address, also in what is seen later', async ({
    client,
    assert,
  }) => {
    clock.freeze()
    const owner = await makeUser({ email: 'owner@example.com' })
    const outcomes = []
    for (const address of ['free@example.com', ' OWNER@example.com ']) {
      const user = await makeUser()
      const { tokens } = await signIn(user)
      const asked = await change(client, tokens.token, address)
      const hurried = await change(client, tokens.token, 'another@example.com')
      assert.equal(hurried.header('retry-after'), '60')
      const log = await client.get('/api/v1/account/events').bearerToken(tokens.token)
      outcomes.push({
        asked: seen(asked),
        hurried: seen(hurried),
        log: log.body().data.map(({ type, data }: any) => [type, type.startsWith('email') && data]),
        notices: await textsTo(user.email),
      })
    }
    assert.equal(outcomes[0].asked.status, 202)
    assert.equal(outcomes[0].hurried.status, 429)
    assert.deepEqual(outcomes[1], outcomes[0])
    assert.lengthOf(await mailsTo(owner.email), 0)
    assert.lengthOf(await mailsTo('free@example.com'), 1)
  })

  test('an address that is taken by the time of the link is refused', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    await change(client, tokens.token, 'new@example.com')
    const other = await makeUser({ email: 'new@example.com' })
    const token = await lastToken('new@example.com')
    const before = await snapshot()
    const refused = await confirm(client, token)
    refused.assertStatus(422)
    assert.equal(refused.body().errors[0].rule, 'emailToken')
    assert.equal(await snapshot(), before)
    assert.notEqual(await emailOf(user), await emailOf(other))
  })

  test('of a sign-up and a change to one address at once one gets it', async ({
    client,
    assert,
  }) => {
    accountsConfig.verifiesEmail = false
    for (let round = 0; round < 4; round++) {
      const email = `wanted${round}@example.com`
      const user = await makeUser()
      const token = await withUserLock(user.id, (trx) =>
        mintLink(trx, user, 'change', { email }).then((made) => tokenOfLink(made!))
      )
      const [made, confirmed] = await Promise.all([signUp(client, email), confirm(client, token)])
      const outcome = `${made.status()} ${confirmed.status()}`
      assert.include(['201 422', '422 204'], outcome)
      assert.equal(await countRows('users', { email }), 1)
    }
  })

  test('of a password change and a link at once, no link works after the answer', async ({
    client,
    assert,
  }) => {
    for (let round = 0; round < 4; round++) {
      const user = await makeUser()
      const { tokens } = await signIn(user)
      const email = `new${round}@example.com`
      const token = await withUserLock(user.id, (trx) =>
        mintLink(trx, user, 'change', { email }).then((made) => tokenOfLink(made!))
      )
      const [changed, ...confirmed] = await Promise.all([
        client
          .put('/api/v1/account/password')
          .bearerToken(tokens.token)
          .json({ currentPassword: PASSWORD, password: NEW }),
        confirm(client, token),
        confirm(client, token),
      ])
      changed.assertStatus(200)
      const worked = confirmed.filter((answer) => answer.status() === 204)
      assert.isAtMost(worked.length, 1)
      assert.equal((await emailOf(user)) === email, worked.length === 1)
      const late = await confirm(client, token)
      late.assertStatus(422)
    }
  })
})

/**
 * What makes every link worthless that is out. `token` is that of the user's session.
 */
const ENDINGS: Record<
  string,
  (
    client: ApiClient,
    given: { user: UserWithEmail; token: string; admin: string }
  ) => Promise<unknown>
> = {
  'a password change': (client, { token }) =>
    client
      .put('/api/v1/account/password')
      .bearerToken(token)
      .json({ currentPassword: PASSWORD, password: NEW, keepOthers: true }),
  'a reset': async (client, { user }) => {
    clock.advance(MINUTE)
    await post(client, 'password/forgot', { email: user.email })
    await reset(client, await lastToken(user.email))
  },
  'logout-all': (client, { token }) =>
    client.post('/api/v1/auth/logout-all').bearerToken(token).json({}),
  'a force logout': (client, { user, admin }) =>
    client.delete(`/api/v1/admin/users/${user.id}/sessions`).bearerToken(admin).json({}),
  'a force logout of everyone': (client, { admin }) =>
    client.post('/api/v1/admin/force-logout').bearerToken(admin).json({ all: true }),
  'disabling, also once enabled again': async (client, { user, admin }) => {
    const path = `/api/v1/admin/users/${user.id}`
    await client.post(`${path}/disable`).bearerToken(admin).json({})
    await client.post(`${path}/enable`).bearerToken(admin).json({})
  },
  'deleting the account': (client, { token }) =>
    client.delete('/api/v1/account').bearerToken(token).json({ currentPassword: PASSWORD }),
  'a change of address': async (client, { token }) => {
    clock.advance(MINUTE)
    await change(client, token, 'newest@example.com')
    await confirm(client, await lastToken('newest@example.com'))
  },
  'an address that was written by other means': (_, { user }) =>
    db.from('users').where('id', user.id).update({ email: 'by.hand@example.com' }),
}

test.group('Links in mails', (group) => {
  group.each.setup(prepare)

  for (const [what, end] of Object.entries(ENDINGS)) {
    test(`are dead after ${what}`, async ({ client, assert }) => {
      clock.freeze()
      const user = await makeUser()
      const other = await makeUser()
      const { tokens } = await signIn(user)
      const { tokens: admin } = await signIn(await makeUser({ role: 'admin' }))
      const mint = (owner: User, purpose: 'reset' | 'verify' | 'change', email?: string) =>
        withUserLock(owner.id, (trx) =>
          mintLink(trx, owner, purpose, { email }).then((made) => tokenOfLink(made!))
        )
      const links = {
        reset: await mint(user, 'reset'),
        verify: await mint(user, 'verify'),
        change: await mint(user, 'change', 'changed@example.com'),
      }
      const untouched = await mint(other, 'verify')
      clock.advance(1000)

      await end(client, { user, token: tokens.token, admin: admin.token })
      const before = await snapshot()
      const used = [await reset(client, links.reset, 'yet another password')]
      used.push(await confirm(client, links.verify))
      /** What was written past the application knows of no change under way. */
      if (!what.includes('by other means')) used.push(await confirm(client, links.change))
      for (const answer of used) answer.assertStatus(422)
      assert.equal(await snapshot(), before)

      const others = await confirm(client, untouched)
      others.assertStatus(what.includes('everyone') ? 422 : 204)
      if (what.includes('deleting')) return
      clock.advance(MINUTE)
      const owner = await user.refresh()
      const newer = await mint(owner, 'verify')
      await confirmEmail(newer)
    })
  }

  test('a later change of address ends the link of the one before', async ({ client, assert }) => {
    clock.freeze()
    const user = await makeUser()
    const { tokens } = await signIn(user)
    await change(client, tokens.token, 'first@example.com')
    const first = await lastToken('first@example.com')
    clock.advance(MINUTE)
    const second = await change(client, tokens.token, 'second@example.com')
    second.assertStatus(202)
    const dead = await confirm(client, first)
    dead.assertStatus(422)
    const alive = await confirm(client, await lastToken('second@example.com'))
    alive.assertStatus(204)
    assert.equal(await emailOf(user), 'second@example.com')
  })

  test('a reset verifies the address that it was mailed to', async ({ client, assert }) => {
    await signUp(client, 'ada@example.com')
    await post(client, 'password/forgot', { email: 'ada@example.com' })
    const done = await reset(client, await lastToken('ada@example.com'))
    done.assertStatus(204)
    const login = await logIn(client, 'ada@example.com', NEW)
    login.assertStatus(200)
    const user = await db.from('users').firstOrFail()
    assert.isNotNull(user.email_verified_at)
  })
})
