import { BaseTransformer } from '#app/http/base_transformer'
import type User from '#models/user'
import type { OpenedSession } from '#app/sessions/open'
import { shownDevice } from '#app/devices/device'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import UserTransformer from '#transformers/user_transformer'

/**
 * The answer to a sign-in.
 */
export default class OpenedSessionTransformer extends BaseTransformer<OpenedSession> {
  constructor(
    resource: OpenedSession,
    private user: User
  ) {
    super(resource)
  }

  toObject() {
    const { tokens, session, endedSessions, quota } = this.resource
    return {
      ...new SessionTokensTransformer(tokens, session).toObject(),
      user: UserTransformer.transform(this.user),
      endedSessions: endedSessions.map((ended) => ({
        id: ended.session.id,
        device: shownDevice(ended.session),
        lastSeenAt: ended.session.lastSeenAt.toISOString(),
        reason: ended.reason,
      })),
      quota,
    }
  }
}
