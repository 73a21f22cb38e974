import { BaseTransformer } from '#app/http/base_transformer'
import type { LoggedEvent } from '#app/event_log/read'

/**
 * An entry of the log.
 */
export default class EventTransformer extends BaseTransformer<LoggedEvent> {
  /**
   * As the person reads it whom it is about: without the note, which administrators write for each
   * other.
   */
  toObject() {
    const { id, type, sessionId, reason, actor, occurredAt } = this.resource
    const data = { ...this.resource.data }
    delete data.note
    return { id, type, sessionId, reason, actor, data, occurredAt: occurredAt.toISOString() }
  }

  forAdmins() {
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
