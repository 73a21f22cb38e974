import type { Assert } from '@japa/assert'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { makeUser, PASSWORD } from './accounts.js'
import { CHANNELS, endsOnRecord, everywhere, onRecordOnce, saidEverywhere } from './channels.js'
import { jsonOfCommand } from './command.js'
import { emptyDatabase } from './database.js'
import { call, logIn } from './http.js'
import { openMailbox, tokenIn } from './mailbox.js'
import { keepPolicy } from './policy.js'
import { makeClient } from './service_clients.js'
import { sessionRow } from './session_rows.js'
import { finish, leaveUnfinished } from './unfinished_watermark.js'
import { signInAdmin } from './victims.js'

export const SERVER = `http://${process.env.HOST}:${process.env.PORT}`
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/**
 * The idle timeout.
 */
export const IDLE = 2 * HOUR
const NEW_PASSWORD = 'a quite different password'

export type Scene = Awaited<ReturnType<typeof scene>>

/**
 * A session on a phone, opened now, with the header of a service client.
 */
export async function scene() {
  const user = await makeUser()
  const device = { id: 'phone', platform: 'ios' }
  const { body } = await logIn(SERVER, user.email, { device })
  const { token, refreshToken, session } = body.data
  const { basic } = await makeClient()
  const { lastSeenAt } = await sessionRow(session.id)
  return {
    user: { id: user.id, email: user.email },
    session: { id: session.id as string },
    credentials: { token, refreshToken },
    openedAt: lastSeenAt,
    basic,
  }
}

/**
 * What a request with the session's token is told.
 */
export const ask = ({ credentials, basic }: Scene) =>
  CHANNELS['the API'](SERVER, credentials, basic)

/**
 * A new session of the same user, by which the user acts.
 */
export async function tokenOf({ user }: Scene): Promise<string> {
  const { body } = await logIn(SERVER, user.email, { device: { name: 'Acting' } })
  return body.data.token
}

/**
 * What a new administrator does.
 */
export async function admin(method: string, path: string, body?: object) {
  const answer = await call(SERVER, method, `/api/v1/admin/${path}`, {
    token: await signInAdmin(),
    body,
  })
  if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}`)
}

/**
 * What comes later and would give a reason of its own.
 */
export const LATER: Record<string, (one: Scene) => Promise<unknown>> = {
  'an everyone force logout that is unfinished': () => leaveUnfinished(),
  'an everyone force logout that was finished': async () => {
    await leaveUnfinished()
    await finish()
  },
  'a force logout of its user that is unfinished': ({ user }) => leaveUnfinished(user.id),
  'a force logout of its user that was finished': async ({ user }) => {
    await leaveUnfinished(user.id)
    await finish()
  },
  'force:logout --all': () => jsonOfCommand(['force:logout', '--all', '--yes']),
  'POST /admin/force-logout of everyone with a platform': () =>
    admin('POST', 'force-logout', { all: true, platform: 'ios' }),
  'POST /admin/force-logout': () => admin('POST', 'force-logout', { all: true }),
  'DELETE /admin/users/:id/sessions': ({ user }) => admin('DELETE', `users/${user.id}/sessions`),
  'DELETE /admin/sessions/:id': ({ session }) => admin('DELETE', `sessions/${session.id}`),
  'a disabled account': ({ user }) => admin('POST', `users/${user.id}/disable`),
  'an account disabled and enabled': async ({ user }) => {
    await admin('POST', `users/${user.id}/disable`)
    await admin('POST', `users/${user.id}/enable`)
  },
  'a changed password': async (one) =>
    call(SERVER, 'PUT', '/api/v1/account/password', {
      token: await tokenOf(one),
      body: { currentPassword: PASSWORD, password: NEW_PASSWORD },
    }),
  'a reset password': async ({ user: { email } }) => {
    const mailbox = openMailbox()
    await call(SERVER, 'POST', '/api/v1/auth/password/forgot', { body: { email } })
    const mails = await mailbox.read()
    const body = { token: tokenIn(mails.at(-1)!.text), password: NEW_PASSWORD }
    await call(SERVER, 'POST', '/api/v1/auth/password/reset', { body })
    await mailbox.read()
    mailbox.close()
  },
  'a sign-out everywhere': async (one) =>
    call(SERVER, 'POST', '/api/v1/auth/logout-all', { token: await tokenOf(one) }),
  'its own sign-out': ({ credentials }) =>
    call(SERVER, 'POST', '/api/v1/auth/logout', { token: credentials.token }),
  'a sign-in with its device.id': ({ user }) =>
    logIn(SERVER, user.email, { device: { id: 'phone' } }),
  'a sign-in at the limit': async ({ user }) => {
    sessionsConfig.limit = 1
    await logIn(SERVER, user.email)
    sessionsConfig.limit = 0
  },
  'sessions:prune': () => jsonOfCommand(['sessions:prune']),
  'sessions:trim': async () => {
    sessionsConfig.limit = 1
    await jsonOfCommand(['sessions:trim'])
  },
  'a deleted account': async (one) =>
    call(SERVER, 'DELETE', '/api/v1/account', {
      token: await tokenOf(one),
      body: { currentPassword: PASSWORD },
    }),
  'a longer idle timeout': async () => {
    sessionsConfig.idleTimeout = 100 * IDLE
  },
  'a shorter idle timeout': async () => {
    sessionsConfig.idleTimeout = 5 * MINUTE
  },
  'much more time': async () => clock.advance(20 * IDLE),
}

/**
 * Puts a policy and a clock in force under which only the idle time ends a session. Returns what
 * puts the old ones back.
 */
export async function prepare(): Promise<() => void> {
  await emptyDatabase()
  const restore = keepPolicy()
  Object.assign(sessionsConfig, {
    limit: 0,
    idleTimeout: IDLE,
    maxLifetime: 1_000 * IDLE,
    accessTokenTtl: 900 * IDLE,
    refreshTokenTtl: 900 * IDLE,
  })
  clock.freeze()
  return () => {
    restore()
    clock.restore()
  }
}

/**
 * Every channel gives this end and no other, and it is on record once.
 */
export async function assertOneEnd(
  assert: Assert,
  one: Scene,
  reason: string,
  endedAt: number | Date
) {
  const answers = await saidEverywhere(SERVER, one.credentials, one.basic)
  assert.deepEqual(answers, everywhere(reason, endedAt))
  const readers = { admin: await signInAdmin(), basic: one.basic }
  const ends = await endsOnRecord(SERVER, one.session.id, readers)
  assert.deepEqual(ends, onRecordOnce(reason, endedAt))
}
