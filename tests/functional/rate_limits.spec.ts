import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import {
  limitMailedLink,
  limitIntrospection,
  limitRefresh,
  limitSignIn,
  limitSignUp,
} from '#app/rate_limits/limits'
import { E_ACCOUNT_DISABLED, E_INVALID_CREDENTIALS } from '#exceptions/errors'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { limitRates } from '#tests/harness/rate_limits'

const MINUTE = 60_000
const HERE = '192.0.2.1'
const THERE = '198.51.100.1'
const server = () => `http://${process.env.HOST}:${process.env.PORT}`

const wrong = async () => {
  throw new E_INVALID_CREDENTIALS()
}
const right = async () => 'signed in'

/**
 * A sign-in that is done when the guess is right.
 */
function guessing(at: { email: string; ip: string }, guess: () => Promise<unknown>) {
  return limitSignIn(at, guess, async (guessed) => guessed)
}

/**
 * What becomes of an attempt: its result, or the code of its error.
 */
function outcome(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.catch((error: { code: string }) => error.code)
}

function post(path: string, body: unknown) {
  return call(server(), 'POST', `/api/v1/auth/${path}`, { body })
}

test.group('Rate limits of the sign-in', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => limitRates({ signIn: { count: 3, windowMs: MINUTE } }))
  group.each.teardown(() => clock.restore())

  test('after so many wrong passwords even the right one waits', async ({ assert }) => {
    const { email } = await makeUser()
    for (let guess = 0; guess < 3; guess++) {
      const answer = await post('login', { email, password: 'wrong' })
      assert.equal(answer.body.errors[0].code, 'E_INVALID_CREDENTIALS')
    }
    const refused = await post('login', { email, password: PASSWORD })
    assert.equal(refused.status, 429)
    assert.equal(refused.body.errors[0].code, 'E_TOO_MANY_REQUESTS')
    const seconds = Number(refused.headers.get('retry-after'))
    assert.isTrue(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60)

    clock.freeze()
    clock.advance(seconds * 1000)
    const later = await post('login', { email, password: PASSWORD })
    assert.equal(later.status, 200)
  })

  test('an e-mail that nobody has is limited the same way', async ({ assert }) => {
    const codes: string[] = []
    for (let guess = 0; guess < 4; guess++) {
      const answer = await post('login', { email: 'nobody@example.com', password: 'wrong' })
      codes.push(answer.body.errors[0].code)
    }
    assert.deepEqual(codes, [
      ...Array<string>(3).fill('E_INVALID_CREDENTIALS'),
      'E_TOO_MANY_REQUESTS',
    ])
  })

  test('a success gives back its own unit, and no other', async ({ assert }) => {
    const { email } = await makeUser()
    const told: number[] = []
    for (const password of ['wrong', PASSWORD, 'wrong', PASSWORD, 'wrong', PASSWORD]) {
      const answer = await post('login', { email, password })
      told.push(answer.status)
    }
    assert.deepEqual(told, [400, 200, 400, 200, 400, 429])
  })

  test('a sign-in refused for another reason is no wrong password', async ({ assert }) => {
    const at = { email: 'a@example.com', ip: HERE }
    for (let attempt = 0; attempt < 10; attempt++) {
      const refused = guessing(at, async () => {
        throw new E_ACCOUNT_DISABLED()
      })
      assert.equal(await outcome(refused), 'E_ACCOUNT_DISABLED')
      const broken = guessing(at, async () => {
        throw new Error('a fault of ours')
      })
      await assert.rejects(() => broken, 'a fault of ours')
    }
    assert.equal(await outcome(guessing(at, right)), 'signed in')
  })

  test('refused attempts take nothing, so the wait does not grow', async ({ assert }) => {
    clock.freeze()
    const at = { email: 'a@example.com', ip: HERE }
    for (let guess = 0; guess < 20; guess++) await outcome(guessing(at, wrong))
    assert.equal(await outcome(guessing(at, right)), 'E_TOO_MANY_REQUESTS')
    clock.advance(MINUTE)
    assert.equal(await outcome(guessing(at, right)), 'signed in')
  })

  test("strangers' wrong guesses lock nobody out of the network they use", async ({ assert }) => {
    const user = await makeUser()
    await signIn(user, { ip: HERE })
    for (let stranger = 0; stranger < 40; stranger++) {
      const ip = `2001:db8:0:${stranger.toString(16)}::1`
      await outcome(guessing({ email: user.email, ip }, wrong))
    }
    assert.equal(
      await outcome(guessing({ email: user.email, ip: THERE }, right)),
      'E_TOO_MANY_REQUESTS'
    )
    assert.equal(await outcome(guessing({ email: user.email, ip: HERE }, right)), 'signed in')
  })

  test('a right guess that is not admitted opens nothing', async ({ assert }) => {
    const at = { email: 'a@example.com', ip: HERE }
    for (let guess = 0; guess < 3; guess++) await outcome(guessing(at, wrong))
    let opened = 0
    const open = async () => {
      opened++
      return 'signed in'
    }
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => outcome(limitSignIn(at, right, open)))
    )
    assert.deepEqual([...new Set(outcomes)], ['E_TOO_MANY_REQUESTS'])
    assert.equal(opened, 0)
  })

  test('once a limit is reached, no password is looked into until it is over', async ({
    assert,
  }) => {
    clock.freeze()
    const at = { email: 'a@example.com', ip: HERE }
    let looked = 0
    const counted = () => {
      looked++
      return wrong()
    }
    for (let guess = 0; guess < 4; guess++) await outcome(guessing(at, counted))
    const before = looked
    await Promise.all(Array.from({ length: 50 }, () => outcome(guessing(at, counted))))
    assert.isAtMost(before, 4)
    assert.equal(looked, before)

    clock.advance(MINUTE)
    assert.equal(await outcome(guessing(at, counted)), 'E_INVALID_CREDENTIALS')
    assert.equal(looked, before + 1)
  })

  test('of many guesses at once, few more than the limit are looked into', async ({ assert }) => {
    const at = { email: 'a@example.com', ip: HERE }
    let looked = 0
    const counted = () => {
      looked++
      return wrong()
    }
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () => outcome(guessing(at, counted)))
    )
    const told = outcomes.filter((code) => code === 'E_INVALID_CREDENTIALS')
    assert.lengthOf(told, 3)
    assert.isAtMost(looked, 3 + 2)
  })

  test('a live session does not notice', async ({ assert }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    for (let guess = 0; guess < 5; guess++) {
      await post('login', { email: user.email, password: 'wrong' })
    }
    const refused = await post('login', { email: user.email, password: PASSWORD })
    assert.equal(refused.status, 429)
    const alive = await call(server(), 'GET', '/api/v1/account', { token: tokens.token })
    assert.equal(alive.status, 200)
  })

  test('one IPv6 /64 is one network, and a full one refuses every account', async ({ assert }) => {
    for (let guess = 0; guess < 30; guess++) {
      const ip = `2001:db8::${guess.toString(16)}`
      assert.equal(
        await outcome(guessing({ email: `${guess}@example.com`, ip }, wrong)),
        'E_INVALID_CREDENTIALS'
      )
    }
    const more = { email: 'more@example.com', ip: '2001:db8::ffff' }
    assert.equal(await outcome(guessing(more, right)), 'E_TOO_MANY_REQUESTS')
    const neighbour = { email: 'more@example.com', ip: '2001:db8:0:1::1' }
    assert.equal(await outcome(guessing(neighbour, right)), 'signed in')
  })

  test('an office behind one address signs in at once', async ({ assert }) => {
    const outcomes = await Promise.all(
      Array.from({ length: 150 }, (_, person) =>
        outcome(guessing({ email: `${person}@example.com`, ip: HERE }, right))
      )
    )
    assert.deepEqual([...new Set(outcomes)], ['signed in'])
  })

  test('neither e-mails nor addresses stand in the table', async ({ assert }) => {
    await outcome(guessing({ email: 'ada@example.com', ip: HERE }, wrong))
    const stored = JSON.stringify(await db.from('rate_limits').select('*'))
    assert.notInclude(stored, 'ada')
    assert.notInclude(stored, HERE)
  })

  test('the current password can not be found by trying, and the session lives on', async ({
    assert,
  }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const change = (currentPassword: string) =>
      call(server(), 'PUT', '/api/v1/account/password', {
        token: tokens.token,
        body: { currentPassword, password: 'another good password' },
      })
    for (let guess = 0; guess < 3; guess++) {
      const answer = await change('wrong')
      assert.equal(answer.status, 400)
    }
    const refused = await change(PASSWORD)
    assert.equal(refused.status, 429)
    const alive = await call(server(), 'GET', '/api/v1/account', { token: tokens.token })
    assert.equal(alive.status, 200)
    const signedIn = await post('login', { email: user.email, password: PASSWORD })
    assert.equal(signedIn.status, 200)
  })
})

test.group('Other rate limits', (group) => {
  const limit = { count: 3, windowMs: MINUTE }

  group.each.setup(() => emptyDatabase())

  test('a sign-up that asks who has an account is limited', async ({ assert, cleanup }) => {
    cleanup(limitRates({ signUp: limit }))
    const { email } = await makeUser()
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await post('signup', { email, password: PASSWORD })
      assert.equal(answer.status, 422)
    }
    const refused = await post('signup', { email, password: PASSWORD })
    assert.equal(refused.status, 429)
    const other = await post('signup', { email: 'new@example.com', password: PASSWORD })
    assert.equal(other.status, 201)
  })

  test('a network asks for so many reset links, known or not, and locks nobody else out', async ({
    assert,
    cleanup,
  }) => {
    cleanup(limitRates({ reset: limit }))
    const { email } = await makeUser()
    for (const address of [email, 'nobody@example.com']) {
      const statuses: number[] = []
      for (let request = 0; request < 4; request++) {
        const answer = await post('password/forgot', { email: address })
        statuses.push(answer.status)
      }
      assert.deepEqual(statuses, [202, 202, 202, 429])
    }
    const elsewhere = limitMailedLink({ email, ip: THERE }, right)
    assert.equal(await outcome(elsewhere), 'signed in')
  })

  test('sign-ups that succeed count for their network', async ({ assert, cleanup }) => {
    cleanup(limitRates({ signUp: { count: 1, windowMs: MINUTE } }))
    const signUpFrom = (ip: string, who: number) =>
      outcome(limitSignUp({ email: `${who}@example.com`, ip }, right))
    const outcomes: unknown[] = []
    for (let who = 0; who < 11; who++) outcomes.push(await signUpFrom(HERE, who))
    assert.deepEqual(outcomes, [...Array<string>(10).fill('signed in'), 'E_TOO_MANY_REQUESTS'])
    assert.equal(await signUpFrom(THERE, 11), 'signed in')
  })

  test('what a full network is refused writes no row', async ({ assert, cleanup }) => {
    cleanup(limitRates({ signIn: { count: 1, windowMs: MINUTE } }))
    const guess = (who: number) =>
      outcome(guessing({ email: `${who}@example.com`, ip: HERE }, wrong))
    for (let who = 0; who < 11; who++) await guess(who)
    const [before] = await db.from('rate_limits').count('* as n')
    for (let who = 11; who < 60; who++) assert.equal(await guess(who), 'E_TOO_MANY_REQUESTS')
    const [after] = await db.from('rate_limits').count('* as n')
    assert.equal(Number(after.n), Number(before.n))
  })

  test('what strangers of one network send leaves a bounded number of rows: {$self}')
    .with(['signIn', 'signUp', 'forgot', 'refresh', 'introspect'] as const)
    .run(async ({ assert, cleanup }, kind) => {
      const one = { count: 1, windowMs: MINUTE }
      cleanup(limitRates({ signIn: one, signUp: one, reset: one, refresh: one, introspect: one }))
      const attempts = {
        signIn: (who: string) => guessing({ email: who, ip: HERE }, wrong),
        signUp: (who: string) => limitSignUp({ email: who, ip: HERE }, wrong),
        forgot: (who: string) => limitMailedLink({ email: who, ip: HERE }, right),
        refresh: (who: string) => limitRefresh({ refreshToken: who, ip: HERE }, wrong),
        introspect: (who: string) => limitIntrospection({ clientId: who, ip: HERE }, wrong),
      }
      for (let who = 0; who < 200; who++) await outcome(attempts[kind](`${who}@example.com`))
      const rows: { key: string }[] = await db.from('rate_limits').select('key')
      const ofNetwork = rows.filter(({ key }) => key.includes(':network:'))
      assert.lengthOf(ofNetwork, 1)
      /** Ten attempts fill a network, and an eleventh finds that out. */
      const ofAccounts = kind === 'signIn' ? 2 * 11 : 11
      assert.isAtMost(rows.length, 1 + ofAccounts)
    })

  test('reset tokens can not be found by trying', async ({ assert, cleanup }) => {
    cleanup(limitRates({ reset: limit }))
    const statuses: number[] = []
    for (let guess = 0; guess < 4; guess++) {
      const answer = await post('password/reset', { token: `opr_${guess}`, password: PASSWORD })
      statuses.push(answer.status)
    }
    assert.deepEqual(statuses, [422, 422, 422, 429])
  })

  test('a live session refreshes whatever others behind its address have tried', async ({
    assert,
    cleanup,
  }) => {
    cleanup(limitRates({ refresh: limit }))
    const { tokens } = await signIn(await makeUser())
    const guess = (refreshToken: string) => outcome(limitRefresh({ refreshToken, ip: HERE }, wrong))
    for (let attempt = 0; attempt < 3; attempt++) await guess(`ort_${attempt}`)
    assert.equal(await guess('ort_more'), 'E_TOO_MANY_REQUESTS')

    const { refreshToken } = tokens
    assert.isNotNull(refreshToken)
    const own = limitRefresh({ refreshToken: refreshToken!, ip: HERE }, right)
    assert.equal(await outcome(own), 'signed in')
  })

  test('introspection counts what tells nothing of a token', async ({ assert, cleanup }) => {
    cleanup(limitRates({ introspect: limit }))
    const ask = (active: boolean) =>
      outcome(limitIntrospection({ clientId: 'c', ip: HERE }, async () => ({ active })))
    for (let question = 0; question < 5; question++)
      assert.deepEqual(await ask(true), { active: true })
    for (let question = 0; question < 3; question++) await ask(false)
    assert.equal(await ask(true), 'E_TOO_MANY_REQUESTS')
  })
})
