import { BaseTransformer } from '#app/http/base_transformer'
import clock from '#app/clock'
import type { IssuedTokens } from '#app/tokens/issue'
import { describeSession, type Session } from '#app/sessions/session'

/**
 * The tokens of a session, as every answer that gives some tells them.
 */
export default class SessionTokensTransformer extends BaseTransformer<IssuedTokens> {
  constructor(
    resource: IssuedTokens,
    private session: Session
  ) {
    super(resource)
  }

  toObject() {
    const { token, expiresAt, refreshToken, refreshExpiresAt } = this.resource
    return {
      token,
      tokenType: this.session.keyThumbprint === null ? 'Bearer' : 'DPoP',
      expiresAt: expiresAt.toISOString(),
      expiresIn: secondsUntil(expiresAt),
      refreshToken,
      refreshExpiresAt: refreshExpiresAt?.toISOString() ?? null,
      refreshExpiresIn: refreshExpiresAt && secondsUntil(refreshExpiresAt),
      session: describeSession(this.session, this.session.id),
    }
  }
}

/**
 * In whole seconds, for clients whose clock is wrong (`expires_in` of RFC 6749).
 */
function secondsUntil(instant: Date): number {
  return Math.max(0, Math.floor((instant.getTime() - clock.millis()) / 1000))
}
