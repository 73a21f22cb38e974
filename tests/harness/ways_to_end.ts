import { PASSWORD } from './accounts.js'
import { jsonOfCommand, type Surroundings } from './command.js'
import { call } from './http.js'
import { THOROUGH } from './pace.js'

/**
 * A session that is to end, and who may end it. The user holds two and may hold no more: this one,
 * which was seen less recently, and `acting`.
 */
export type Victim = {
  /** The server that is asked to end it. */
  server: string
  /** What commands that end it find. */
  surroundings: Surroundings
  user: { id: number; email: string }
  session: { id: string; deviceId: string; platform: string }
  token: string
  /** The access token of the user's other session. */
  acting: string
  /** The access token of an administrator. */
  admin: string
  /** Mints a token to reset the user's password with. */
  resetToken: () => Promise<string>
  /** Lowers the user's own limit. */
  setLimit: (limit: number) => Promise<void>
  /** The header of a service client that may revoke. */
  basic: string
}

export type Way = {
  what: string
  /** What the device is told. */
  reason: string
  /** How many sessions the answer must say that it ended; undefined where it says no number. */
  counts?: number
  /** Ends it, and gives the number that the answer says. */
  end: (victim: Victim) => Promise<number | undefined>
}

const NEW_PASSWORD = 'a quite different password'

/**
 * Every way in which somebody ends a session.
 */
const WAYS: Way[] = [
  {
    what: 'DELETE /admin/users/:id/sessions',
    reason: 'forced',
    counts: 2,
    end: (victim) => ended(asAdmin(victim, 'DELETE', `users/${victim.user.id}/sessions`)),
  },
  {
    what: 'DELETE /admin/sessions/:id',
    reason: 'forced',
    counts: 1,
    end: (victim) => ended(asAdmin(victim, 'DELETE', `sessions/${victim.session.id}`)),
  },
  {
    what: 'POST /admin/force-logout of a user',
    reason: 'forced',
    counts: 2,
    end: (victim) => ended(asAdmin(victim, 'POST', 'force-logout', { users: [victim.user.email] })),
  },
  {
    what: 'POST /admin/force-logout of everyone with a platform',
    reason: 'forced',
    counts: 1,
    end: (victim) =>
      ended(
        asAdmin(victim, 'POST', 'force-logout', { all: true, platform: victim.session.platform })
      ),
  },
  {
    what: 'POST /admin/force-logout of everyone with a device',
    reason: 'forced',
    counts: 1,
    end: (victim) =>
      ended(
        asAdmin(victim, 'POST', 'force-logout', { all: true, device: victim.session.deviceId })
      ),
  },
  {
    what: 'force:logout --all --platform',
    reason: 'forced',
    counts: 1,
    end: ({ surroundings, session }) =>
      command(surroundings, ['force:logout', '--all', `--platform=${session.platform}`, '--yes']),
  },
  {
    what: 'force:logout USER',
    reason: 'forced',
    counts: 2,
    end: ({ surroundings, user }) => command(surroundings, ['force:logout', user.email]),
  },
  {
    what: 'force:logout --all',
    reason: 'forced',
    end: async ({ surroundings }) => {
      await command(surroundings, ['force:logout', '--all', '--yes'])
      return undefined
    },
  },
  {
    what: 'sessions:trim',
    reason: 'forced',
    counts: 1,
    end: async ({ surroundings, setLimit }) => {
      await setLimit(1)
      return command(surroundings, ['sessions:trim'], 'sessions')
    },
  },
  {
    what: 'disable and enable',
    reason: 'account_disabled',
    counts: 2,
    end: async (victim) => {
      const count = await ended(asAdmin(victim, 'POST', `users/${victim.user.id}/disable`))
      await asAdmin(victim, 'POST', `users/${victim.user.id}/enable`)
      return count
    },
  },
  {
    what: 'POST /auth/logout-others',
    reason: 'logged_out_elsewhere',
    counts: 1,
    end: ({ server, acting }) =>
      ended(call(server, 'POST', '/api/v1/auth/logout-others', { token: acting })),
  },
  {
    what: 'POST /auth/logout-all',
    reason: 'logged_out_elsewhere',
    counts: 2,
    end: ({ server, acting }) =>
      ended(call(server, 'POST', '/api/v1/auth/logout-all', { token: acting })),
  },
  {
    what: 'DELETE /sessions/:id',
    reason: 'logged_out_elsewhere',
    end: ({ server, acting, session }) =>
      done(call(server, 'DELETE', `/api/v1/sessions/${session.id}`, { token: acting })),
  },
  {
    what: 'POST /auth/logout by itself',
    reason: 'logged_out',
    end: ({ server, token }) => done(call(server, 'POST', '/api/v1/auth/logout', { token })),
  },
  {
    what: 'POST /oauth/revoke',
    reason: 'logged_out',
    end: async ({ server, token, basic }) => {
      await fetch(`${server}/oauth/revoke`, {
        method: 'POST',
        headers: { authorization: basic },
        body: new URLSearchParams({ token }),
      })
      return undefined
    },
  },
  {
    what: 'a changed password',
    reason: 'password_changed',
    end: ({ server, acting }) =>
      done(
        call(server, 'PUT', '/api/v1/account/password', {
          token: acting,
          body: { currentPassword: PASSWORD, password: NEW_PASSWORD },
        })
      ),
  },
  {
    what: 'a reset password',
    reason: 'password_reset',
    end: async ({ server, resetToken }) =>
      done(
        call(server, 'POST', '/api/v1/auth/password/reset', {
          body: { token: await resetToken(), password: NEW_PASSWORD },
        })
      ),
  },
  {
    what: 'a deleted account',
    reason: 'account_deleted',
    end: ({ server, acting }) =>
      done(
        call(server, 'DELETE', '/api/v1/account', {
          token: acting,
          body: { currentPassword: PASSWORD },
        })
      ),
  },
  {
    what: 'a sign-in at the limit',
    reason: 'superseded',
    counts: 1,
    end: (victim) => signInAgain(victim, { name: 'Newcomer' }),
  },
  {
    what: 'a sign-in with the same device.id',
    reason: 'replaced',
    counts: 1,
    end: (victim) => signInAgain(victim, { id: victim.session.deviceId }),
  },
]

/**
 * Those that a run has time for: all of them, or one for each reason and a command.
 */
export const WAYS_TO_TRY = WAYS.filter(
  ({ what, reason }, index) =>
    THOROUGH ||
    what === 'force:logout USER' ||
    WAYS.findIndex((other) => other.reason === reason) === index
)

/**
 * How many sessions a newcomer is told to have taken the place of.
 */
async function signInAgain({ server, user, session }: Victim, device: object) {
  const { body } = await call(server, 'POST', '/api/v1/auth/login', {
    body: { email: user.email, password: PASSWORD, device },
  })
  return body.data.endedSessions.filter((one: { id: string }) => one.id === session.id).length
}

function asAdmin({ server, admin }: Victim, method: string, path: string, body?: object) {
  return call(server, method, `/api/v1/admin/${path}`, { token: admin, body })
}

async function ended(answer: ReturnType<typeof call>): Promise<number | undefined> {
  const { body } = await answer
  return body?.data?.ended
}

async function done(answer: ReturnType<typeof call>): Promise<undefined> {
  await answer
}

async function command(surroundings: Surroundings, args: string[], number = 'ended') {
  const said = await jsonOfCommand(args, surroundings)
  return said[number] as number
}
