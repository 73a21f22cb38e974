import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { pipeline } from '#app/database/pipeline'
import { rows } from '#app/database/sql'
import { userAgentFamily } from '#app/devices/user_agent'
import { closeExpired, endSessions } from '#app/sessions/end'
import { COVERED_SQL } from '#app/sessions/liveness'
import {
  SELECTED_SESSION_COLUMNS,
  toSession,
  type ProvenKey,
  type SessionRow,
  type StoredSession,
} from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import { withUserLock } from '#app/sessions/user_lock'
import { retryRefresh } from '#app/sessions/retry_refresh'
import { replaceTokens, type IssuedTokens } from '#app/tokens/issue'
import { rotatedTokensOf } from '#app/tokens/rotation'
import { readTokens, tokensByHash, type TokenRow } from '#app/tokens/session_tokens'
import { hashToken, tokenKind } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import {
  E_INVALID_DPOP_PROOF,
  E_INVALID_REFRESH_TOKEN,
  E_REFRESH_TOKEN_REUSED,
  E_SESSION_ENDED,
  type SessionEnd,
} from '#exceptions/errors'
import { toDate } from '#models/instant'
import type User from '#models/user'

/**
 * Who presents a refresh token: the key that the request proves to hold, and its user agent.
 */
export type Holder = ProvenKey & { userAgent: string | null }

export type Renewal = { tokens: IssuedTokens; session: StoredSession }

/**
 * The outcome of a refresh, once the token was looked at under the lock. A value and not an error,
 * for the end of a session must commit although the request fails.
 */
type Outcome =
  | ({ type: 'renewed' } & Renewal)
  | { type: 'invalid' }
  | { type: 'unproven' }
  | { type: 'ended'; end: SessionEnd }
  | { type: 'reused' }

/**
 * Trades a refresh token for new tokens of its session. It works once: its access token dies with
 * it. A spent one that comes back may have lost its answer (#app/sessions/retry_refresh); once its
 * successors are in use somebody else holds a copy, and the whole session ends (RFC 9700 §4.14.2).
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
  const [found] = await readTokens(client, [hashToken(refreshToken)])
  if (!found) return null
  if (found.user_id === null)
    throw new E_SESSION_ENDED(await endOfSession(client, found.session_id))
  return found.user_id
}

async function renewUnderLock(
  trx: TransactionClientContract,
  user: User,
  refreshToken: string,
  holder: Holder
): Promise<Outcome> {
  const hash = hashToken(refreshToken)
  const [[found], [row]] = (await pipeline(trx, [
    tokensByHash([hash]),
    { sql: OPEN_SESSION_OF_TOKEN, bindings: [hash, hash] },
  ])) as [TokenRow[], SessionRow[]]
  if (!found) return { type: 'invalid' }

  const [session] = row ? await closeExpired(trx, [toSession(row)]) : []
  if (!session) return { type: 'ended', end: await endOfSession(trx, found.session_id) }
  if (user.disabledAt) {
    return {
      type: 'ended',
      end: { reason: 'account_disabled', endedAt: user.disabledAt.toJSDate() },
    }
  }
  const mismatch = await refuseStranger(trx, session, holder)
  if (mismatch) return mismatch
  await holder.spendProof?.(trx)

  if (found.ended_at !== null) {
    return answerSpent(trx, session, refreshToken, found)
  }
  if (!found.expires_at || clock.now() >= toDate(found.expires_at)) return { type: 'invalid' }

  session.lastSeenAt = clock.now()
  const [tokens] = await Promise.all([
    replaceTokens(trx, session, rotatedTokensOf(refreshToken), {
      usedAt: clock.now(),
      unused: true,
    }),
    rows(trx, 'UPDATE sessions SET last_seen_at = ? WHERE id = ?', [
      session.lastSeenAt,
      session.id,
    ]),
  ])
  return { type: 'renewed', tokens, session }
}

/**
 * A spent token: an answer again, or the end of the session.
 */
async function answerSpent(
  trx: TransactionClientContract,
  session: StoredSession,
  refreshToken: string,
  spent: TokenRow
): Promise<Outcome> {
  const retried = await retryRefresh(trx, session, refreshToken, spent)
  if (retried.type === 'tokens') return { type: 'renewed', tokens: retried.tokens, session }
  if (retried.type === 'reused') {
    await endSessions(trx, [session], { reason: 'token_reuse', actor: 'system' })
  }
  return { type: retried.type }
}

/**
 * The end of the session, or the refusal, where the holder is not the one it is bound to; null
 * where it is.
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
 * The session of a token, live or spent, unless its end is written or a watermark covers it.
 */
const OPEN_SESSION_OF_TOKEN = `SELECT ${SELECTED_SESSION_COLUMNS}
  FROM sessions
  WHERE id IN (
    SELECT session_id FROM api_tokens WHERE hash = ?
    UNION ALL SELECT session_id FROM ended_tokens WHERE hash = ?
  ) AND ended_at IS NULL AND NOT ${COVERED_SQL}`
