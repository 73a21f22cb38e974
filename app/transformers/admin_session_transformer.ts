import { BaseTransformer } from '#app/http/base_transformer'
import { describeListedSession, type ListedSession } from '#app/sessions/list'

/**
 * A session as admins see it, with whose it is. `current` marks the one that asks.
 */
export default class AdminSessionTransformer extends BaseTransformer<ListedSession> {
  constructor(
    resource: ListedSession,
    private currentId?: string
  ) {
    super(resource)
  }

  toObject() {
    return describeListedSession(this.resource, this.currentId)
  }
}
