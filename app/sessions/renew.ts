import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { withRefreshToken, type Holder, type Refused } from '#app/sessions/with_refresh_token'
import { endSessions } from '#app/sessions/end'
import type { StoredSession } from '#app/sessions/session'
import { writeUses } from '#app/sessions/last_seen'
import { retryRefresh } from '#app/sessions/retry_refresh'
import { replaceTokens, type IssuedTokens } from '#app/tokens/issue'
import { rotatedTokensOf } from '#app/tokens/rotation'
import type { TokenRow } from '#app/tokens/session_tokens'
import { toDate } from '#models/instant'

export type Renewal = { tokens: IssuedTokens; session: StoredSession }

/**
 * Trades a refresh token for new tokens of its session. It works once: its access token dies with
 * it. A spent one that comes back may have lost its answer (#app/sessions/retry_refresh); once its
 * successors are in use somebody else holds a copy, and the whole session ends (RFC 9700 §4.14.2).
 *
 * Throws what `withRefreshToken` throws.
 */
export function renewSession(refreshToken: string, holder: Holder): Promise<Renewal> {
  return withRefreshToken(refreshToken, holder, async (trx, session, found) => {
    if (found.ended_at !== null) return answerSpent(trx, session, refreshToken, found)
    if (!found.expires_at || clock.now() >= toDate(found.expires_at)) return { refused: 'invalid' }

    session.lastSeenAt = clock.now()
    const [tokens] = await Promise.all([
      replaceTokens(trx, session, rotatedTokensOf(refreshToken), {
        usedAt: clock.now(),
        unused: true,
      }),
      writeUses(trx, [{ id: session.id, at: session.lastSeenAt }]),
    ])
    return { tokens, session }
  })
}

/**
 * A spent token: an answer again, or the end of the session.
 */
async function answerSpent(
  trx: TransactionClientContract,
  session: StoredSession,
  refreshToken: string,
  spent: TokenRow
): Promise<Renewal | Refused> {
  const retried = await retryRefresh(trx, session, refreshToken, spent)
  if (retried.type === 'tokens') return { tokens: retried.tokens, session }
  if (retried.type === 'reused') {
    await endSessions(trx, [session], { reason: 'token_reuse', actor: 'system' })
  }
  return { refused: retried.type }
}
