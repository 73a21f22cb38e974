import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { pipeline } from '#app/database/pipeline'
import { writeTimeouts, endSessions } from '#app/sessions/end'
import { disabledEndOf, UNENDED_SQL } from '#app/sessions/liveness'
import { isUsedByOther } from '#app/sessions/policy'
import {
  SELECTED_SESSION_COLUMNS,
  toSession,
  type ProvenKey,
  type SessionRow,
  type StoredSession,
} from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import { withUserLock } from '#app/sessions/user_lock'
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
import type User from '#models/user'

/**
 * Who presents a refresh token: the key that the request proves to hold, and its user agent.
 */
export type Holder = ProvenKey & { userAgent: string | null }

/**
 * Why a refresh token was refused, once it was looked at under the lock. A value and not an error,
 * for the end of a session must commit although the request fails.
 */
export type Refused =
  { refused: 'invalid' | 'unproven' | 'reused' } | { refused: 'ended'; end: SessionEnd }

/**
 * Runs `work` under the lock of the user of a refresh token, live or spent, with the token and its
 * session, once it is certain that the session lives and that the holder is the one it is bound to.
 *
 * Throws `E_INVALID_REFRESH_TOKEN`, `E_REFRESH_TOKEN_REUSED`, `E_SESSION_ENDED`, and
 * `E_INVALID_DPOP_PROOF` where the session is bound to another key than the holder's, or the proof was
 * used before.
 */
export async function withRefreshToken<Result extends object>(
  refreshToken: string,
  holder: Holder,
  work: (
    trx: TransactionClientContract,
    session: StoredSession,
    token: TokenRow
  ) => Promise<Result | Refused>
): Promise<Result> {
  const userId = await ownerOf(refreshToken)
  if (userId === null) throw new E_INVALID_REFRESH_TOKEN()

  const outcome = await withUserLock(userId, async (trx, user): Promise<Result | Refused> => {
    if (!user) return { refused: 'invalid' }
    const found = await findToken(trx, user, hashToken(refreshToken), holder)
    return 'refused' in found ? found : work(trx, found.session, found.token)
  })
  if (!('refused' in outcome)) return outcome
  switch (outcome.refused) {
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

async function findToken(
  trx: TransactionClientContract,
  user: User,
  hash: string,
  holder: Holder
): Promise<{ token: TokenRow; session: StoredSession } | Refused> {
  const [[token], [row]] = (await pipeline(trx, [
    tokensByHash([hash]),
    { sql: OPEN_SESSION_OF_TOKEN, bindings: [hash, hash] },
  ])) as [TokenRow[], SessionRow[]]
  if (!token) return { refused: 'invalid' }

  const [session] = row ? await writeTimeouts(trx, [toSession(row)]) : []
  if (!session) return { refused: 'ended', end: await endOfSession(trx, token.session_id) }
  const end = disabledEndOf(user.disabledAt?.toJSDate() ?? null)
  if (end) return { refused: 'ended', end }
  const refusal = await refuseStranger(trx, session, holder)
  if (refusal) return refusal
  await holder.spendProof?.(trx)
  return { token, session }
}

/**
 * The end of the session, or the refusal, where the holder is not the one it is bound to; null
 * where it is.
 */
async function refuseStranger(
  trx: TransactionClientContract,
  session: StoredSession,
  holder: Holder
): Promise<Refused | null> {
  if (session.keyThumbprint !== null && session.keyThumbprint !== holder.keyThumbprint) {
    return { refused: 'unproven' }
  }
  if (!isUsedByOther(session, holder.userAgent)) return null
  if (!sessionsConfig.bindingEnds) return { refused: 'invalid' }
  await endSessions(trx, [session], { reason: 'device_mismatch', actor: 'system' })
  return { refused: 'ended', end: await endOfSession(trx, session.id) }
}

/**
 * The session of a token, live or spent, unless its end is written or a watermark covers it.
 */
const OPEN_SESSION_OF_TOKEN = `SELECT ${SELECTED_SESSION_COLUMNS}
  FROM sessions
  WHERE id IN (
    SELECT session_id FROM api_tokens WHERE hash = ?
    UNION ALL SELECT session_id FROM ended_tokens WHERE hash = ?
  ) AND ${UNENDED_SQL}`
