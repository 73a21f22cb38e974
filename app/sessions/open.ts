import { randomUUID } from 'node:crypto'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { mintToken } from '#app/tokens/token'
import {
  E_ACCOUNT_DISABLED,
  E_INVALID_CREDENTIALS,
  E_SESSION_LIMIT_REACHED,
  E_VALIDATION_ERROR,
} from '#exceptions/errors'
import type User from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { shownDevice, type Device } from '#app/devices/device'
import type { EndReason } from '#exceptions/end_reasons'
import { writeDueEnds, endSessions } from '#app/sessions/end'
import { appendEvents } from '#app/event_log/append'
import { issueTokens, type IssuedTokens } from '#app/tokens/issue'
import { withWrittenUses } from '#app/sessions/last_seen'
import { limitReached, sessionLimitOf, surplusSessions, type Quota } from '#app/sessions/policy'
import { describeSession, type ProvenKey, type Session } from '#app/sessions/session'
import { insertOf, rows } from '#app/database/sql'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * What a sign-in asks for. The tokens are bound to the key that it has proven.
 */
export type SignIn = {
  device: Device
  ip: string | null
  userAgent: string | null
  /** When the person showed who they are, if that is not now. Never taken for later than now. */
  authenticatedAt?: Date
  /** Who opens it, if that is not the user: a trusted backend. */
  actor?: Actor
  /** The first session of an account that is made with it. */
  atSignUp?: boolean
  /** Ends all other sessions of the user, whatever the limit. */
  logoutOthers?: boolean
  /** Ends these sessions of the user: the choice after `E_SESSION_LIMIT_REACHED`. */
  endSessions?: string[]
} & Partial<ProvenKey>

export type EndedSession = { session: Session; reason: EndReason }

export type OpenedSession = {
  tokens: IssuedTokens
  session: Session
  endedSessions: EndedSession[]
  quota: Quota
}

/**
 * Opens a session of a user whose credentials were just verified, and ends those that must make
 * room, in one transaction: at no moment does the user hold more than the limit, and the new
 * session is never evicted itself.
 *
 * Throws `E_ACCOUNT_DISABLED` and `E_INVALID_CREDENTIALS` when the account was disabled or its
 * password changed meanwhile, `E_SESSION_LIMIT_REACHED` where the policy refuses newcomers, and
 * `E_VALIDATION_ERROR` when `endSessions` names what is not a live session of this user. Then
 * nothing has changed.
 */
export async function openSession(verified: User, signIn: SignIn): Promise<OpenedSession> {
  if (verified.password === undefined) {
    throw new Error(
      'auth.login() needs a user with its password hash, which auth.user has not: load it again with User.findOrFail(id).'
    )
  }
  return withUserLock(verified.id, async (trx, user) => {
    if (!user || user.password !== verified.$original.password) throw new E_INVALID_CREDENTIALS()
    if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
    if (verified.$dirty.password) {
      const { password, id } = verified
      await rows(trx, 'UPDATE users SET password = ? WHERE id = ?', [password, id])
    }
    return openSessionUnderLock(trx, user, signIn)
  })
}

/**
 * The same within a transaction that already holds the user's row.
 */
export async function openSessionUnderLock(
  trx: TransactionClientContract,
  user: User,
  signIn: SignIn
): Promise<OpenedSession> {
  const now = clock.now()
  const actor: Actor = signIn.actor ?? `user:${user.id}`
  const sessionId = randomUUID()
  const limit = sessionLimitOf(user)

  const live = await writeDueEnds(trx, user.id, { deviceId: signIn.device.id })
  const endedSessions = chooseEndings(await withWrittenUses(trx, live), limit, signIn)
  await signIn.spendProof?.(trx)
  for (const reason of new Set(endedSessions.map((ended) => ended.reason))) {
    const sessions = endedSessions.filter((ended) => ended.reason === reason)
    await endSessions(
      trx,
      sessions.map((ended) => ended.session),
      { reason, actor, supersededBy: sessionId }
    )
  }

  const session: Session = {
    id: sessionId,
    userId: user.id,
    kind: 'user',
    device: signIn.device,
    ip: signIn.ip,
    userAgent: signIn.userAgent,
    keyThumbprint: signIn.keyThumbprint ?? null,
    createdAt: now,
    authenticatedAt:
      signIn.authenticatedAt && signIn.authenticatedAt < now ? signIn.authenticatedAt : now,
    lastSeenAt: now,
    expiresAt: new Date(now.getTime() + sessionsConfig.maxLifetime),
  }
  /**
   * Sent in this order, without waiting for the answer to each (#app/database/pipeline). The session
   * comes first: its tokens refer to it.
   */
  const [, tokens] = await Promise.all([
    insertSession(trx, session),
    issueTokens(trx, session, { access: mintToken('access'), refresh: mintToken('refresh') }),
    appendEvents(trx, [
      {
        type: 'session.opened',
        userId: user.id,
        sessionId,
        actor,
        data: {
          device: shownDevice(session),
          ip: session.ip,
          ...(signIn.atSignUp && { atSignUp: true }),
        },
      },
    ]),
  ])

  const used = live.length - endedSessions.length + 1
  return { tokens, session, endedSessions, quota: { used, max: limit } }
}

async function insertSession(trx: TransactionClientContract, session: Session): Promise<void> {
  const { sql, bindings } = insertOf('sessions', [
    {
      id: session.id,
      user_id: session.userId,
      kind: session.kind,
      device_id: session.device.id,
      device_name: session.device.name,
      platform: session.device.platform,
      ip: session.ip,
      user_agent: session.userAgent,
      key_thumbprint: session.keyThumbprint,
      created_at: session.createdAt,
      authenticated_at: session.authenticatedAt,
      last_seen_at: session.lastSeenAt,
      expires_at: session.expiresAt,
    },
  ])
  await rows(trx, sql, bindings)
}

/**
 * Which of the user's live sessions a sign-in ends, and why. Throws where it must be refused.
 */
function chooseEndings(live: Session[], limit: number | null, signIn: SignIn): EndedSession[] {
  const endings = new Map<Session, EndReason>()
  const chosen = new Set(signIn.endSessions ?? [])
  const strangers = [...chosen].filter((id) => !live.some((session) => session.id === id))
  if (strangers.length > 0) {
    throw new E_VALIDATION_ERROR([
      {
        field: 'endSessions',
        rule: 'liveSession',
        message: 'endSessions may only name live sessions of this account. Nothing was ended.',
      },
    ])
  }

  for (const session of live) {
    const sameDevice = signIn.device.id !== null && session.device.id === signIn.device.id
    if (sameDevice) endings.set(session, 'replaced')
    else if (signIn.logoutOthers || chosen.has(session.id)) {
      endings.set(session, 'logged_out_elsewhere')
    }
  }

  const left = live.filter((session) => !endings.has(session))
  const surplus = surplusSessions(left, limit, signIn.device)
  if (surplus.length > 0 && sessionsConfig.onLimit === 'reject') {
    const { quota, sessions } = limitReached(live, limit, signIn.device)
    throw new E_SESSION_LIMIT_REACHED({
      quota,
      sessions: sessions.map((session) => describeSession(session)),
    })
  }
  for (const session of surplus) endings.set(session, 'superseded')

  return live
    .filter((session) => endings.has(session))
    .map((session) => ({ session, reason: endings.get(session)! }))
}
