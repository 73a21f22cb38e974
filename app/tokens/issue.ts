import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { appendEvents } from '#app/event_log/append'
import sessionsConfig, { idleTimeout } from '#config/sessions'
import { revokeTokens, type Replacement } from '#app/tokens/revoke'
import { hashToken, type TokenKind } from '#app/tokens/token'
import { insertOf, rows } from '#app/database/sql'

/**
 * The session that tokens are issued for.
 */
export type TokenOwner = { id: string; userId: number; expiresAt: Date }

/**
 * The tokens of a session as their holder gets them, once. No refresh token where
 * `REFRESH_TOKEN_TTL=0`.
 */
export type IssuedTokens = {
  token: string
  expiresAt: Date
  refreshToken: string | null
  refreshExpiresAt: Date | null
}

/**
 * Gives a session an access token and a refresh token with these values, in the caller's
 * transaction. Neither outlives the session. Without refresh tokens every use gives the access token
 * its time again: it may live as long as the session, which goes idle when it is not used for that
 * time (#app/sessions/liveness).
 *
 * `unused`: it is written when they are first used (#app/token_verification/token_use). Only those
 * that a refresh gives need it.
 */
export async function issueTokens(
  trx: TransactionClientContract,
  session: TokenOwner,
  values: { access: string; refresh: string },
  { unused = false } = {}
): Promise<IssuedTokens> {
  const now = clock.now()
  const until = (ttl: number) =>
    new Date(Math.min(now.getTime() + ttl, session.expiresAt.getTime()))
  const row = (type: TokenKind, value: string, expiresAt: Date) => ({
    tokenable_id: session.userId,
    type,
    hash: hashToken(value),
    abilities: '["*"]',
    session_id: session.id,
    created_at: now,
    updated_at: now,
    last_used_at: unused ? null : now,
    expires_at: expiresAt,
  })

  const withRefresh = sessionsConfig.refreshTokenTtl > 0
  const expiresAt = until(withRefresh ? sessionsConfig.accessTokenTtl : idleTimeout())
  const tokens = [row('access', values.access, withRefresh ? expiresAt : session.expiresAt)]
  const refreshExpiresAt = withRefresh ? until(sessionsConfig.refreshTokenTtl) : null
  if (refreshExpiresAt) tokens.push(row('refresh', values.refresh, refreshExpiresAt))

  const { sql, bindings } = insertOf('api_tokens', tokens)
  await rows(trx, sql, bindings)
  return {
    token: values.access,
    expiresAt,
    refreshToken: refreshExpiresAt ? values.refresh : null,
    refreshExpiresAt,
  }
}

/**
 * Gives a live session new tokens in place of those it has, whose holders learn from now on that
 * they have expired (`rotated`) and that a newer one exists. The log tells of it, for services and
 * streams that still hold what they were told of the old ones. For use in a transaction that holds
 * the row of the session's user and found the session alive.
 */
export async function replaceTokens(
  trx: TransactionClientContract,
  session: TokenOwner,
  values: { access: string; refresh: string },
  replacement: Replacement & { unused?: boolean } = {}
): Promise<IssuedTokens> {
  const { unused, ...kept } = replacement
  const ending = { reason: 'rotated', at: clock.now(), ...kept }
  /** Sent in this order, without waiting for the answer to each (#app/database/pipeline). */
  const [, tokens] = await Promise.all([
    revokeTokens(trx, { sessions: [session.id] }, ending),
    issueTokens(trx, session, values, { unused }),
    appendEvents(trx, [
      {
        type: 'tokens.replaced',
        userId: session.userId,
        sessionId: session.id,
        actor: `user:${session.userId}`,
      },
    ]),
  ])
  return tokens
}
