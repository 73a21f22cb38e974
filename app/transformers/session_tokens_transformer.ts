import { BaseTransformer } from '#app/http/base_transformer'
import type { IssuedTokens } from '#app/tokens/issue'
import { describeSession, type Session } from '#app/sessions/session'

/**
 * New tokens of a session that lives on.
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
      refreshToken,
      refreshExpiresAt: refreshExpiresAt?.toISOString() ?? null,
      session: describeSession(this.session, this.session.id),
    }
  }
}
