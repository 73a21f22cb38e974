import { BaseTransformer } from '@adonisjs/core/transformers'
import type { LoggedEvent } from '#app/event_log/read'

/**
 * An entry of the log as the person reads it whom it is about: without the note, which
 * administrators write for each other.
 */
export default class AccountEventTransformer extends BaseTransformer<LoggedEvent> {
  toObject() {
    const { id, type, sessionId, reason, actor, occurredAt } = this.resource
    const data = { ...this.resource.data }
    delete data.note
    return { id, type, sessionId, reason, actor, data, occurredAt: occurredAt.toISOString() }
  }
}
