import { BaseTransformer } from '@adonisjs/core/transformers'
import type { LoggedEvent } from '#app/event_log/read'

/**
 * An entry of the log as admins read it, with the notes that they write for each other.
 */
export default class AdminEventTransformer extends BaseTransformer<LoggedEvent> {
  toObject() {
    const { id, type, userId, sessionId, reason, actor, data, occurredAt } = this.resource
    return {
      id,
      type,
      userId,
      sessionId,
      reason,
      actor,
      data,
      occurredAt: occurredAt.toISOString(),
    }
  }
}
