import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { notify } from '#mails/mail_queue'
import { userAgentFamily } from '#app/devices/user_agent'
import { hashToken, tokenKind } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import {
  E_INVALID_DPOP_PROOF,
  E_INVALID_REFRESH_TOKEN,
  E_REFRESH_TOKEN_REUSED,
  E_SESSION_ENDED,
  type SessionEnd,
} from '#exceptions/errors'
import TokenReuseMail from '#mails/token_reuse_mail'
import { toDate } from '#models/instant'
import type User from '#models/user'
import { watermarkFor, watermarkOf } from '#app/sessions/watermark'
import { shownDevice } from '#app/devices/device'
import { endSessions } from '#app/sessions/end'
import type { IssuedTokens } from '#app/tokens/issue'
import { lastSeen } from '#app/sessions/last_seen'
import { replaceTokens } from '#app/tokens/replace'
import { SESSION_COLUMNS, toSession, type StoredSession } from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import { lapseOf } from '#app/sessions/liveness'
import { rotatedTokensOf } from '#app/tokens/rotation'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Who presents a refresh token: the key that the request proves to hold, and its user agent.
 */
export type Holder = { keyThumbprint: string | null; userAgent: string | null }

export type Renewal = { tokens: IssuedTokens; session: StoredSession }

/**
 * What comes of a refresh token, once looked at under the lock. An outcome and not an error, for
 * the end of a session must commit although the request fails.
 */
type Outcome =
  | ({ type: 'renewed' } & Renewal)
  | { type: 'invalid' }
  | { type: 'unproven' }
  | { type: 'ended'; end: SessionEnd }
  | { type: 'reused'; user: User; session: StoredSession }

/**
 * Trades a refresh token for new tokens of its session. It works once: its access token dies with
 * it. A spent one that comes back within the retry window gets the same successors again, for the
 * answer may have been lost; later, or when its successor was used already, somebody else holds a
 * copy, and the whole session ends (RFC 9700 §4.14.2).
 *
 * Throws `E_INVALID_REFRESH_TOKEN`, `E_REFRESH_TOKEN_REUSED`, `E_SESSION_ENDED`, and
 * `E_INVALID_DPOP_PROOF` where the session is bound to another key than the holder's.
 */
export async function renewSession(refreshToken: string, holder: Holder): Promise<Renewal> {
  const userId = await ownerOf(refreshToken)
  if (userId === null) throw new E_INVALID_REFRESH_TOKEN()

  const outcome = await withUserLock(userId, async (trx, user): Promise<Outcome> => {
    return user ? renewUnderLock(trx, user, refreshToken, holder) : { type: 'invalid' }
  })
  switch (outcome.type) {
    case 'renewed':
      return { tokens: outcome.tokens, session: outcome.session }
    case 'ended':
      throw new E_SESSION_ENDED(outcome.end)
    case 'unproven':
      throw new E_INVALID_DPOP_PROOF(400, 'The session is bound to a key: prove to hold it.')
    case 'reused':
      notify(outcome.user, new TokenReuseMail(shownDevice(outcome.session), clock.now()))
      throw new E_REFRESH_TOKEN_REUSED()
    case 'invalid':
      throw new E_INVALID_REFRESH_TOKEN()
  }
}

/**
 * Whose row to lock; nobody's where `REFRESH_TOKEN_TTL=0`, whatever was issued before. Nothing else
 * is taken from this look. Throws `E_SESSION_ENDED` for a token of an account that is gone.
 */
async function ownerOf(refreshToken: string): Promise<number | null> {
  if (sessionsConfig.refreshTokenTtl === 0 || tokenKind(refreshToken) !== 'refresh') return null
  const client = db.connection()
  const hash = hashToken(refreshToken)
  const live = await client.from('api_tokens').where({ hash, type: 'refresh' }).first()
  if (live) return live.tokenable_id
  const ended = await client.from('ended_tokens').where({ hash, type: 'refresh' }).first()
  if (!ended?.session_id) return null
  const session = await client.from('sessions').where('id', ended.session_id).first()
  if (!session) return null
  if (session.user_id === null) throw new E_SESSION_ENDED(await endOfSession(client, session.id))
  return session.user_id
}

async function renewUnderLock(
  trx: TransactionClientContract,
  user: User,
  refreshToken: string,
  holder: Holder
): Promise<Outcome> {
  const found = await findToken(trx, refreshToken)
  if (!found) return { type: 'invalid' }
  const session = await readSession(trx, found.sessionId)
  if (!session) return { type: 'ended', end: await endOfSession(trx, found.sessionId) }

  const end = await lapsedEnd(trx, user, session)
  if (end) return { type: 'ended', end }
  const mismatch = await refuseStranger(trx, session, holder)
  if (mismatch) return mismatch

  if (found.spentAt) return answerSpent(trx, user, session, refreshToken, found.spentAt)
  if (!found.expiresAt || clock.now() >= found.expiresAt) return { type: 'invalid' }

  const tokens = await replaceTokens(trx, session, rotatedTokensOf(refreshToken))
  session.lastSeenAt = clock.now()
  await trx.from('sessions').where('id', session.id).update({ last_seen_at: session.lastSeenAt })
  return { type: 'renewed', tokens, session }
}

/**
 * A spent token: the same answer again, or the end of the session.
 */
async function answerSpent(
  trx: TransactionClientContract,
  user: User,
  session: StoredSession,
  refreshToken: string,
  spentAt: Date
): Promise<Outcome> {
  const values = rotatedTokensOf(refreshToken)
  if (clock.millis() < spentAt.getTime() + sessionsConfig.refreshRetryWindow) {
    const tokens = await readIssued(trx, values)
    if (tokens) return { type: 'renewed', tokens, session }
    if (!(await wasIssued(trx, values.refresh))) return { type: 'invalid' }
  }
  await endSessions(trx, [session], { reason: 'token_reuse', actor: 'system' })
  return { type: 'reused', user, session }
}

type FoundToken = { sessionId: string; expiresAt: Date | null; spentAt: Date | null }

async function findToken(
  trx: TransactionClientContract,
  refreshToken: string
): Promise<FoundToken | null> {
  const hash = hashToken(refreshToken)
  const live = await trx.from('api_tokens').where({ hash, type: 'refresh' }).first()
  if (live) {
    return { sessionId: live.session_id, expiresAt: toDate(live.expires_at), spentAt: null }
  }
  const ended = await trx.from('ended_tokens').where({ hash, type: 'refresh' }).first()
  if (!ended) return null
  return { sessionId: ended.session_id, expiresAt: null, spentAt: toDate(ended.ended_at) }
}

/**
 * The session, unless its end is written.
 */
async function readSession(client: QueryClientContract, id: string): Promise<StoredSession | null> {
  const row = await client
    .from('sessions')
    .select(...SESSION_COLUMNS)
    .where('id', id)
    .whereNull('ended_at')
    .first()
  if (!row) return null
  const session = toSession(row)
  session.lastSeenAt = lastSeen.latest(session.id, session.lastSeenAt)
  return session
}

/**
 * The end of a session that time, a cut-off or a disabled account has ended and nobody has written
 * yet; null while it lives.
 */
async function lapsedEnd(
  trx: TransactionClientContract,
  user: User,
  session: StoredSession
): Promise<SessionEnd | null> {
  const lapse = lapseOf(session, await watermarkFor(trx, user), clock.now())
  if (!lapse) {
    return user.disabledAt && { reason: 'account_disabled', endedAt: user.disabledAt.toJSDate() }
  }
  if (lapse.at) return { reason: lapse.reason, endedAt: lapse.at }
  const cutoff = await watermarkOf(trx, session)
  return { reason: cutoff?.reason ?? 'forced', endedAt: cutoff?.at ?? clock.now() }
}

/**
 * What comes of it when the session is bound to another key or user agent than the holder's; null
 * when it is the holder's own.
 */
async function refuseStranger(
  trx: TransactionClientContract,
  session: StoredSession,
  holder: Holder
): Promise<Outcome | null> {
  if (session.keyThumbprint !== null && session.keyThumbprint !== holder.keyThumbprint) {
    return { type: 'unproven' }
  }
  if (sessionsConfig.binding !== 'user_agent') return null
  if (userAgentFamily(session.userAgent) === userAgentFamily(holder.userAgent)) return null
  if (!sessionsConfig.bindingEnds) return { type: 'invalid' }
  await endSessions(trx, [session], { reason: 'device_mismatch', actor: 'system' })
  return { type: 'ended', end: await endOfSession(trx, session.id) }
}

/**
 * The successors as they were issued; null when they are not the session's tokens any more.
 */
async function readIssued(
  trx: TransactionClientContract,
  values: { access: string; refresh: string }
): Promise<IssuedTokens | null> {
  const hashes = { access: hashToken(values.access), refresh: hashToken(values.refresh) }
  const rows = await trx.from('api_tokens').whereIn('hash', Object.values(hashes))
  const access = rows.find((row) => row.hash === hashes.access)
  const refresh = rows.find((row) => row.hash === hashes.refresh)
  if (!access || !refresh) return null
  return {
    token: values.access,
    expiresAt: toDate(access.expires_at),
    refreshToken: values.refresh,
    refreshExpiresAt: toDate(refresh.expires_at),
  }
}

/**
 * Whether a successor was ever issued. When it was not, the token was replaced by other means (a
 * changed password), and its holder is late but no thief.
 */
async function wasIssued(trx: TransactionClientContract, refresh: string): Promise<boolean> {
  const row = await trx.from('ended_tokens').where('hash', hashToken(refresh)).first()
  return row !== null
}
