import { flags } from '@adonisjs/core/ace'
import { escapeJson, escapeText } from '#app/terminal/escape'
import { UnknownUser } from '#app/terminal/failures'
import { explainValidation } from '#app/terminal/filtered_command'
import { OperatorCommand } from '#app/terminal/operator_command'
import type { LoggedEvent } from '#app/event_log/read'

/**
 * Commands that tell of the log. Of its entries all filters must match.
 */
export abstract class EventCommand extends OperatorCommand {
  @flags.string({ description: 'Only what is about this user: e-mail, id or external:ID' })
  declare user: string

  @flags.string({ description: 'Only entries of this type, such as session.ended' })
  declare type: string

  @flags.string({ description: 'Only what this actor did: user:7, command:force:logout, system' })
  declare actor: string

  @flags.string({ description: 'Begin in the past: a duration (24h) or a date or time (UTC)' })
  declare since: string

  /**
   * The filters in force. Throws `UsageFailure` where one is malformed and `UnknownUser`.
   */
  protected async readFilters() {
    const { eventFiltersValidator } = await import('#validators/admin')
    const { findUserId } = await import('#app/accounts/find_users')
    const { type, actor, since } = this
    const filters = await eventFiltersValidator
      .validate({ type, actor, since })
      .catch(explainValidation)
    if (this.user === undefined) return filters
    const userId = await findUserId(this.user)
    if (userId === null) throw new UnknownUser(this.user, { reading: true })
    return { ...filters, userId }
  }
}

/**
 * An entry of the log for people.
 */
export function inOneLine({
  occurredAt,
  type,
  userId,
  sessionId,
  reason,
  actor,
  data,
}: LoggedEvent): string {
  const parts = [
    occurredAt.toISOString(),
    type.padEnd(16),
    userId === null ? 'everyone' : `user:${userId}`,
    sessionId && `session:${sessionId}`,
    reason,
    `by ${escapeText(actor)}`,
    Object.keys(data).length > 0 && escapeJson(data),
  ]
  return parts.filter(Boolean).join('  ')
}
