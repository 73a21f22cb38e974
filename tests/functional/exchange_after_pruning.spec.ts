import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { SignJWT } from 'jose'
import clock from '#app/clock'
import legacyJwtConfig from '#config/legacy_jwt'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { jsonOfCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { signInAdmin } from '#tests/harness/victims'

const SERVER = `http://${process.env.HOST}:${process.env.PORT}`
const SECRET = 'the old system shared this secret'
const NEW_PASSWORD = 'a quite different password'
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

type Person = { id: number; email: string }

/**
 * A token that the old system issued at this moment, good for a year.
 */
function issue(user: Person, claims: Record<string, unknown> = {}) {
  const now = Math.floor(clock.millis() / 1000)
  return new SignJWT({ sub: user.email, iat: now, exp: now + 365 * 86_400, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET))
}

const exchange = (jwt: string) => call(SERVER, 'POST', '/api/v1/auth/exchange', { body: { jwt } })

async function tokenOf({ email }: Person): Promise<string> {
  const { body } = await logIn(SERVER, email)
  return body.data.token
}

async function admin(method: string, path: string, body?: object) {
  const answer = await call(SERVER, method, `/api/v1/admin/${path}`, {
    token: await signInAdmin(),
    body,
  })
  if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}`)
}

/**
 * What makes worthless what the old system issued before, for its user or for everyone.
 */
const ACTS: Record<string, (user: Person) => Promise<unknown>> = {
  'DELETE /admin/users/:id/sessions': ({ id }) => admin('DELETE', `users/${id}/sessions`),
  'POST /admin/force-logout of the user': ({ id }) =>
    admin('POST', 'force-logout', { users: [id] }),
  'POST /admin/force-logout of everyone': () => admin('POST', 'force-logout', { all: true }),
  'force:logout USER': ({ email }) => jsonOfCommand(['force:logout', email]),
  'force:logout --all': () => jsonOfCommand(['force:logout', '--all', '--yes']),
  'a changed password': async (user) =>
    call(SERVER, 'PUT', '/api/v1/account/password', {
      token: await tokenOf(user),
      body: { currentPassword: PASSWORD, password: NEW_PASSWORD },
    }),
  'a changed password that kept the other sessions': async (user) =>
    call(SERVER, 'PUT', '/api/v1/account/password', {
      token: await tokenOf(user),
      body: { currentPassword: PASSWORD, password: NEW_PASSWORD, keepOthers: true },
    }),
  'a reset password': async ({ email }) => {
    const mailbox = openMailbox()
    await call(SERVER, 'POST', '/api/v1/auth/password/forgot', { body: { email } })
    const mails = await mailbox.read()
    const body = { token: tokenIn(mails.at(-1)!.text), password: NEW_PASSWORD }
    await call(SERVER, 'POST', '/api/v1/auth/password/reset', { body })
    await mailbox.read()
    mailbox.close()
  },
  'an account disabled and enabled': async ({ id }) => {
    await admin('POST', `users/${id}/disable`)
    await admin('POST', `users/${id}/enable`)
  },
  'logout-all': async (user) =>
    call(SERVER, 'POST', '/api/v1/auth/logout-all', { token: await tokenOf(user) }),
}

const FOR_EVERYONE = ['POST /admin/force-logout of everyone', 'force:logout --all']

/**
 * What takes the log away: a test that empties it, and time.
 */
const REMOVALS: Record<string, () => Promise<unknown>> = {
  'the log is emptied': () => db.from('session_events').delete(),
  'sessions:prune': async () => {
    clock.advance(31 * DAY)
    await jsonOfCommand(['sessions:prune'])
  },
}

test.group('An old token', (group) => {
  group.each.timeout(60_000)
  group.each.setup(async () => {
    await emptyDatabase()
    const config = { ...legacyJwtConfig }
    clock.freeze()
    Object.assign(legacyJwtConfig, {
      secret: SECRET,
      user: 'email',
      jwks: undefined,
      issuer: undefined,
      audience: undefined,
      algorithms: ['HS256'],
      userClaim: 'sub',
      until: new Date(clock.millis() + 300 * DAY),
    })
    return () => {
      Object.assign(legacyJwtConfig, config)
      clock.restore()
    }
  })

  for (const [what, act] of Object.entries(ACTS)) {
    test(`issued before ${what} stays refused when the log is gone, and one issued later works`, async ({
      assert,
    }) => {
      const [user, stranger] = [await makeUser(), await makeUser()]
      clock.advance(MINUTE)
      const old = [await issue(user, { jti: 'a' }), await issue(user, { jti: 'b' })]
      const undated = await issue(user, { iat: undefined })
      const strangers = await issue(stranger)
      clock.advance(MINUTE)
      await act(user)
      clock.advance(MINUTE)
      const statuses = async (jwts: string[]) => {
        const answers = []
        for (const jwt of jwts) answers.push(await exchange(jwt))
        return answers.map(({ status, body }) => body.errors?.[0].code ?? status)
      }
      const refused = 'E_INVALID_CREDENTIALS'
      assert.deepEqual(await statuses([old[0]]), [refused])

      await REMOVALS['the log is emptied']()
      assert.deepEqual(await statuses([...old, undated]), [refused, refused, refused])
      const others = FOR_EVERYONE.includes(what) ? refused : 200
      assert.deepEqual(await statuses([strangers]), [others])
      assert.deepEqual(await statuses([await issue(user, { jti: 'c' })]), [200])
    })
  }

  for (const what of [
    'DELETE /admin/users/:id/sessions',
    'POST /admin/force-logout of everyone',
    'logout-all',
  ]) {
    test(`issued before ${what} stays refused after sessions:prune`, async ({ assert }) => {
      const user = await makeUser()
      const old = await issue(user)
      clock.advance(MINUTE)
      await ACTS[what](user)
      await REMOVALS['sessions:prune']()
      const refused = await exchange(old)
      assert.equal(refused.status, 400)
      const newer = await exchange(await issue(user, { jti: 'new' }))
      assert.equal(newer.status, 200)
    })
  }

  test('issued after everyone was signed out works', async ({ assert }) => {
    await ACTS['POST /admin/force-logout of everyone']({ id: 0, email: '' })
    clock.advance(MINUTE)
    const user = await makeUser()
    const answer = await exchange(await issue(user))
    assert.equal(answer.status, 200)
  })
})
