import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import type { StoredSession } from '#app/sessions/session'
import { replaceTokens, type IssuedTokens } from '#app/tokens/issue'
import { rotatedTokensOf } from '#app/tokens/rotation'
import { readTokens, type TokenRow } from '#app/tokens/session_tokens'
import { hashToken } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import { toDate } from '#models/instant'

/*
 * A spent refresh token that comes back. Its answer may have been lost, for however long, so its
 * holder is no thief before one of its successors was used:
 *
 * - within the retry window of its last answer it gets the same tokens again
 * - later it gets others, and those that nobody used are withdrawn
 * - once one was used: the same until the retry window after that first use, and then it is reuse
 *
 * A withdrawn token that is presented has been in the hands of somebody who did not ask for the
 * newer ones: reuse as well. So a thief who spends ahead of the owner is found out.
 */

/**
 * What the holder gets: tokens, or nothing. `invalid`: it was replaced by other means (a changed
 * password), and its holder is late but no thief.
 */
export type Retried = { type: 'tokens'; tokens: IssuedTokens } | { type: 'reused' | 'invalid' }

/**
 * For use under the lock of the session's user, for a session that lives. `spent` is the row of the
 * token, which is among the ended ones.
 */
export async function retryRefresh(
  trx: TransactionClientContract,
  session: StoredSession,
  refreshToken: string,
  spent: TokenRow
): Promise<Retried> {
  if (spent.withdrawn) return { type: 'reused' }
  const generation = spent.successor ?? 0
  const values = rotatedTokensOf(refreshToken, generation)
  const [access, refresh] = await readPair(trx, values)
  const spentAt = toDate(spent.ended_at!)
  if (!refresh) return { type: 'invalid' }

  const usedAt = firstUse(access, refresh)
  const answeredAt = toDate(spent.answered_at) ?? spentAt
  if (isWithinWindow(usedAt ?? answeredAt)) {
    const tokens = tokensOf(values, access, refresh)
    if (!tokens) return { type: 'reused' }
    if (!usedAt) await noteAnswer(trx, spent.hash, generation)
    return { type: 'tokens', tokens }
  }
  /** Those of an older version that were spent do not say when they were used. */
  if (usedAt || refresh.ended_at !== null) return { type: 'reused' }
  if (spent.expires_at && clock.now() >= toDate(spent.expires_at)) return { type: 'invalid' }

  const next = rotatedTokensOf(refreshToken, generation + 1)
  const tokens = await replaceTokens(trx, session, next, { withdrawn: true, unused: true })
  await noteAnswer(trx, spent.hash, generation + 1)
  return { type: 'tokens', tokens }
}

/**
 * Writes that a spent token was answered now, and with which of its successors.
 */
async function noteAnswer(
  trx: TransactionClientContract,
  hash: string,
  generation: number
): Promise<void> {
  await rows(trx, 'UPDATE ended_tokens SET answered_at = ?, successor = ? WHERE hash = ?', [
    clock.now(),
    generation,
    hash,
  ])
}

function isWithinWindow(since: Date): boolean {
  return clock.millis() < since.getTime() + sessionsConfig.refreshRetryWindow
}

/**
 * The access token and the refresh token that followed a spent one, live or spent in turn.
 */
async function readPair(
  trx: TransactionClientContract,
  values: { access: string; refresh: string }
): Promise<(TokenRow | undefined)[]> {
  const hashes = [hashToken(values.access), hashToken(values.refresh)]
  const found = await readTokens(trx, hashes)
  return hashes.map((hash) => found.find((token) => token.hash === hash))
}

function firstUse(...pair: (TokenRow | undefined)[]): Date | null {
  const uses = pair.flatMap((token) => toDate(token?.first_used_at ?? null) ?? [])
  return uses.length > 0 ? new Date(Math.min(...uses.map((use) => use.getTime()))) : null
}

function tokensOf(
  values: { access: string; refresh: string },
  access: TokenRow | undefined,
  refresh: TokenRow
): IssuedTokens | null {
  const expiresAt = toDate(access?.expires_at ?? null)
  const refreshExpiresAt = toDate(refresh.expires_at)
  if (!expiresAt || !refreshExpiresAt) return null
  return { token: values.access, expiresAt, refreshToken: values.refresh, refreshExpiresAt }
}
