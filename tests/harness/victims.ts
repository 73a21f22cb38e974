import { randomUUID } from 'node:crypto'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from './accounts.js'
import type { Credentials } from './channels.js'
import type { Surroundings } from './command.js'
import { call, logIn } from './http.js'
import { openMailbox, tokenIn } from './mailbox.js'
import { makeClient } from './service_clients.js'
import { sessionRow } from './session_rows.js'
import type { Victim } from './ways_to_end.js'

const HERE = `http://${process.env.HOST}:${process.env.PORT}`

/**
 * A session that was opened at this moment, by a user who may hold two.
 */
export async function openVictim(server = HERE) {
  const user = await makeUser()
  const setLimit = (limit: number) =>
    db.from('users').where('id', user.id).update({ session_limit: limit })
  await setLimit(2)
  const deviceId = `device ${randomUUID()}`
  const platform = `os${randomUUID().slice(0, 8)}`
  const answer = await logIn(server, user.email, { device: { id: deviceId, platform } })
  const { token, refreshToken, session } = answer.body.data
  const { lastSeenAt } = await sessionRow(session.id)
  const credentials: Credentials = { token, refreshToken }
  return {
    user,
    session: { id: session.id as string, deviceId, platform },
    credentials,
    token: token as string,
    openedAt: lastSeenAt,
    setLimit: async (limit: number) => void (await setLimit(limit)),
  }
}

/**
 * The same with all who may end it: the user's other session is opened at one server, and the
 * administrator, who is asked at another, signs in there.
 */
export async function accompany(
  opened: Awaited<ReturnType<typeof openVictim>>,
  servers: { ofActing: string; asked: string },
  surroundings: Surroundings
): Promise<Victim> {
  const { user, session, token, setLimit } = opened
  const acting = await logIn(servers.ofActing, user.email, { device: { name: 'Acting' } })
  const { basic } = await makeClient()
  return {
    server: servers.asked,
    surroundings,
    user: { id: user.id, email: user.email },
    session,
    token,
    acting: acting.body.data.token,
    admin: await signInAdmin(servers.asked),
    resetToken: () => resetTokenOf(user.email),
    setLimit,
    basic,
  }
}

/**
 * The access token of a new administrator.
 */
export async function signInAdmin(server = HERE): Promise<string> {
  const admin = await makeUser({ role: 'admin', email: `${randomUUID()}@example.com` })
  const answer = await logIn(server, admin.email)
  return answer.body.data.token
}

async function resetTokenOf(email: string): Promise<string> {
  const mailbox = openMailbox()
  try {
    await call(HERE, 'POST', '/api/v1/auth/password/forgot', { body: { email } })
    const mails = await mailbox.read()
    return tokenIn(mails.at(-1)!.text)
  } finally {
    mailbox.close()
  }
}
