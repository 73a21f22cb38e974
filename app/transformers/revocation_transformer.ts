import { BaseTransformer } from '#app/http/base_transformer'
import type { Revocation } from '#app/event_log/revocations/read_revocations'

export default class RevocationTransformer extends BaseTransformer<Revocation> {
  toObject() {
    const { id, sessionId, userId, reason, endedAt } = this.resource
    return { id, sessionId, userId, reason, endedAt: endedAt.toISOString() }
  }
}
