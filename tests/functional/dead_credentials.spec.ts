import { test } from '@japa/runner'
import { disableUser } from '#app/accounts/disabled_users'
import { mintLink } from '#app/accounts/mailed_links'
import { tokenOfLink } from '#mails/link'
import sessionsConfig from '#config/sessions'
import { withUserLock } from '#app/sessions/user_lock'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { listen } from '#tests/harness/event_stream'
import { call, logIn } from '#tests/harness/http'
import { keepPolicy } from '#tests/harness/policy'

const SERVER = `http://${process.env.HOST}:${process.env.PORT}`
const NEW = 'a quite different password'

type Ended = { user: { id: number }; token: string; link: string }

/**
 * What ends sessions, and the reason that their devices are told.
 */
const ENDINGS: { what: string; reason: string; end: (ended: Ended) => Promise<unknown> }[] = [
  {
    what: 'changing the password',
    reason: 'password_changed',
    end: ({ token }) =>
      call(SERVER, 'PUT', '/api/v1/account/password', {
        token,
        body: { currentPassword: PASSWORD, password: NEW },
      }),
  },
  {
    what: 'resetting the password',
    reason: 'password_reset',
    end: ({ link }) =>
      call(SERVER, 'POST', '/api/v1/auth/password/reset', {
        body: { token: link, password: NEW },
      }),
  },
  {
    what: 'disabling the account',
    reason: 'account_disabled',
    end: ({ user }) => disableUser(user.id, { actor: 'command:test' }),
  },
]

/**
 * What the client says of its device.
 */
const DEVICES = [
  ['a missing', undefined],
  ['an empty', { id: '' }],
  ['a foreign', { id: "another user's" }],
] as const

test.group('Dead credentials', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    sessionsConfig.limit = 0
    return restore
  })

  for (const { what, reason, end } of ENDINGS) {
    for (const [kind, device] of DEVICES) {
      test(`${what} with ${kind} device id kills tokens, stream and reset link`, async ({
        assert,
        cleanup,
      }) => {
        const [user, other] = [await makeUser(), await makeUser()]
        const { tokens: foreign } = await signIn(other, { id: "another user's" })
        const victim = await logIn(SERVER, user.email, { device })
        const acting = await logIn(SERVER, user.email, { device: { id: 'the acting one' } })
        const { token, refreshToken } = victim.body.data
        const link = await withUserLock(user.id, (trx) =>
          mintLink(trx, user, 'reset').then((made) => tokenOfLink(made!))
        )
        const stream = await listen(SERVER, token)
        cleanup(() => stream.close())
        assert.equal(stream.status, 200)

        await end({ user, token: acting.body.data.token, link })

        const checked = await call(SERVER, 'GET', '/api/v1/account', { token })
        assert.equal(checked.status, 401)
        assert.equal(checked.body.errors[0].reason, reason)
        const renewed = await call(SERVER, 'POST', '/api/v1/auth/refresh', {
          body: { refreshToken },
        })
        assert.equal(renewed.status, 401)
        assert.equal(renewed.body.errors[0].reason, reason)
        const told = await stream.next()
        assert.equal(told.event, 'session.ended')
        assert.deepEqual(told.data, checked.body.errors[0])
        await stream.closed()
        const reset = await call(SERVER, 'POST', '/api/v1/auth/password/reset', {
          body: { token: link, password: 'yet another password' },
        })
        assert.equal(reset.status, 422)
        const spent = await call(SERVER, 'POST', '/api/v1/auth/refresh', {
          body: { refreshToken: acting.body.data.refreshToken },
        })
        assert.notEqual(spent.status, 200)
        const untouched = await call(SERVER, 'GET', '/api/v1/account', { token: foreign.token })
        assert.equal(untouched.status, 200)
      })
    }
  }
})
