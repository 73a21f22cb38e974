import type { Statement } from '#app/database/pipeline'
import clock from '#app/clock'
import sessionsConfig, { idleTimeout } from '#config/sessions'
import { hashToken, type TokenKind } from '#app/tokens/token'
import { insertOf } from '#app/database/sql'

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
 * What writes a session's access token and refresh token, and how their holder gets them. Neither
 * outlives the session. Without refresh tokens every use gives the access token its time again: it
 * may live as long as the session, which goes idle when it is not used for that time
 * (#app/sessions/liveness).
 */
export function issueTokens(
  session: TokenOwner,
  values: { access: string; refresh: string }
): { issued: IssuedTokens; statement: Statement } {
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
    expires_at: expiresAt,
  })

  const withRefresh = sessionsConfig.refreshTokenTtl > 0
  const expiresAt = until(withRefresh ? sessionsConfig.accessTokenTtl : idleTimeout())
  const rows = [row('access', values.access, withRefresh ? expiresAt : session.expiresAt)]

  const refreshExpiresAt = withRefresh ? until(sessionsConfig.refreshTokenTtl) : null
  if (refreshExpiresAt) rows.push(row('refresh', values.refresh, refreshExpiresAt))

  return {
    statement: insertOf('api_tokens', rows),
    issued: {
      token: values.access,
      expiresAt,
      refreshToken: refreshExpiresAt ? values.refresh : null,
      refreshExpiresAt,
    },
  }
}
