import { endApiKey } from '#app/api_keys/end_api_keys'
import clock from '#app/clock'
import { endedTokens } from '#app/token_verification/ended_tokens'
import { tokenLookup, type TokenRecord } from '#app/token_verification/token_lookup'
import { disabledEndOf, livenessOf } from '#app/sessions/liveness'
import { checkSession } from '#app/token_verification/session_check'
import { hashToken, tokenKind, type TokenKind } from '#app/tokens/token'
import { countVerdict } from '#app/metrics/metrics'
import type { ApiError } from '#exceptions/api_error'
import {
  E_SESSION_ENDED,
  E_TOKEN_EXPIRED,
  E_UNAUTHORIZED_ACCESS,
  E_UNAVAILABLE,
  type SessionEnd,
} from '#exceptions/errors'

/**
 * What a check finds out about a token.
 *
 * - `live`: it may speak for its user now
 * - `expired`: past its time, or rotated away, while its session lives on. `token` is there while no
 *   newer one has taken its place
 * - `ended`: its session (or API key) has ended
 * - `unknown`: never one of ours, or of another kind than asked for
 */
export type Verdict =
  | { type: 'live'; token: TokenRecord }
  | { type: 'expired'; token: TokenRecord | null }
  | { type: 'ended'; end: SessionEnd }
  | { type: 'unknown' }

const UNKNOWN: Verdict = { type: 'unknown' }

/**
 * Retries: a concurrent use may revive a session between reading it as idle and ending it.
 */
const ATTEMPTS = 5

/**
 * Checks a token against the database: every request comes through here. Nothing is remembered
 * from one check to the next. Throws when the database can't be asked, or can't write the end of a
 * session that time has ended.
 */
export async function verifyToken(value: string, kinds: readonly TokenKind[]): Promise<Verdict> {
  const kind = tokenKind(value)
  const verdict = kind && kinds.includes(kind) ? await verifyHash(hashToken(value)) : UNKNOWN
  countVerdict(verdict.type)
  return verdict
}

/**
 * The same for whoever has checked the token before and kept its hash: an open event stream. Not
 * counted as a check.
 */
export async function verifyHash(hash: string): Promise<Verdict> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const token = await tokenLookup.read(hash)
    if (!token) return explainMissing(hash)
    if (token.kind === 'api_key') return judgeApiKey(token, hash)
    const { session } = token
    if (!session) return UNKNOWN
    if (livenessOf(session, token.watermarkSeq, clock.now()) === 'alive') return judge(token)
    const end = await checkSession(session.id)
    if (end) return { type: 'ended', end }
  }
  throw new E_UNAVAILABLE()
}

/**
 * The error that a verdict means.
 */
export function refusalOf(verdict: Exclude<Verdict, { type: 'live' }>): ApiError {
  switch (verdict.type) {
    case 'expired':
      return new E_TOKEN_EXPIRED()
    case 'ended':
      return new E_SESSION_ENDED(verdict.end)
    case 'unknown':
      return new E_UNAUTHORIZED_ACCESS({ hadToken: true })
  }
}

/**
 * The verdict on an access or refresh token whose session lives.
 */
function judge(token: TokenRecord): Verdict {
  const end = disabledEndOf(token.user.disabledAt?.toJSDate() ?? null)
  if (end) return { type: 'ended', end }
  return { type: isExpired(token) ? 'expired' : 'live', token }
}

/**
 * The verdict on an API key. An end by time or by a watermark is written before it is told, so that
 * the first reason stays the reason.
 */
async function judgeApiKey(token: TokenRecord, hash: string): Promise<Verdict> {
  const { id, user } = token
  const end = disabledEndOf(user.disabledAt?.toJSDate() ?? null)
  if (id > token.watermarkApiKeyId && !isExpired(token)) {
    return end ? { type: 'ended', end } : { type: 'live', token }
  }
  await endApiKey({ id, userId: user.id }, null)
  return explainMissing(hash)
}

function isExpired({ expiresAt }: TokenRecord): boolean {
  return expiresAt !== null && clock.now() >= expiresAt
}

/**
 * The verdict on a token that is not in `api_tokens`.
 */
async function explainMissing(hash: string): Promise<Verdict> {
  const ended = await endedTokens.read(hash)
  if (!ended) return UNKNOWN
  if (ended.end !== 'rotated') return { type: 'ended', end: ended.end }
  const end = await checkSession(ended.sessionId!)
  return end ? { type: 'ended', end } : { type: 'expired', token: null }
}
