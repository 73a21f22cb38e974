import clock from '#app/clock'
import { endedTokens, explainKeyWatermark } from '#app/token_verification/ended_tokens'
import { tokenLookup, type TokenRecord } from '#app/token_verification/token_lookup'
import { endOfUnended } from '#app/token_verification/session_check'
import { hashToken, tokenKind, type TokenKind } from '#app/tokens/token'
import { countVerdict } from '#app/metrics/metrics'
import type { SessionEnd } from '#exceptions/errors'

/**
 * What a check finds out about a token.
 *
 * - `live`: it may speak for its user now
 * - `expired`: past its time, or rotated away, while its session lives on
 * - `ended`: its session (or API key) has ended
 * - `unknown`: never one of ours, or of another kind than asked for
 */
export type Verdict =
  | { type: 'live'; token: TokenRecord }
  | { type: 'expired' }
  | { type: 'ended'; end: SessionEnd }
  | { type: 'unknown' }

const UNKNOWN: Verdict = { type: 'unknown' }

/**
 * Checks a token against the database: every request comes through here. Nothing is remembered
 * from one check to the next. Throws when the database can't be asked.
 */
export async function verifyToken(value: string, kinds: readonly TokenKind[]): Promise<Verdict> {
  const kind = tokenKind(value)
  const verdict = kind && kinds.includes(kind) ? await reachVerdict(hashToken(value)) : UNKNOWN
  countVerdict(verdict.type)
  return verdict
}

async function reachVerdict(hash: string): Promise<Verdict> {
  const token = await tokenLookup.read(hash)
  if (token) return judge(token)

  const ended = await endedTokens.read(hash)
  if (!ended) return UNKNOWN
  return ended.end === 'rotated' ? { type: 'expired' } : { type: 'ended', end: ended.end }
}

/**
 * Whether a token that is on record is alive at this moment.
 */
async function judge(token: TokenRecord): Promise<Verdict> {
  const now = clock.now()
  const { session } = token
  const userDisabledAt = token.user.disabledAt?.toJSDate() ?? null
  if (session) {
    const end = endOfUnended({ session, watermarkSeq: token.watermarkSeq, userDisabledAt })
    if (end) return { type: 'ended', end: await end }
  } else if (userDisabledAt) {
    return { type: 'ended', end: { reason: 'account_disabled', endedAt: userDisabledAt } }
  } else if (token.id <= token.watermarkApiKeyId) {
    const end = await explainKeyWatermark({ userId: token.user.id, id: token.id })
    return { type: 'ended', end }
  }

  if (!token.expiresAt || now < token.expiresAt) return { type: 'live', token }
  if (session) return { type: 'expired' }
  return { type: 'ended', end: { reason: 'expired', endedAt: token.expiresAt } }
}
