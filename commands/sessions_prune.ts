import { flags } from '@adonisjs/core/ace'
import { UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'
import { amount } from '#app/terminal/progress_bar'

/**
 * Removes what has had its time.
 */
export default class SessionsPrune extends OperatorCommand {
  static commandName = 'sessions:prune'
  static description = 'Remove ended sessions, explained tokens, old events and expired tokens'
  static help = [
    'A server does the same by itself once an hour, with 30d. Holders of tokens that are removed',
    'learn no more why their session ended. With EMAIL_VERIFICATION=required, accounts whose e-mail',
    'nobody verified within a week of the sign-up are removed as well.',
  ]

  @flags.string({ description: 'How long ago they ended, such as 30d or 12h', default: '30d' })
  declare olderThan: string

  protected async perform() {
    const { parseDuration } = await import('#start/env_rules')
    const { prune } = await import('#app/jobs/prune')
    const olderThan = parseDuration(this.olderThan)
    if (!olderThan) {
      throw new UsageFailure(
        '--older-than is a duration such as 12h, 30d or 4w. Nothing was changed.'
      )
    }
    const pruned = await prune({ olderThan })
    this.printJson(pruned)
    this.say(
      `Wrote the end of ${amount(pruned.lapsed, 'session')}. Removed ${amount(pruned.sessions, 'ended session')}, ` +
        `${amount(pruned.endedTokens, 'explained token')}, ${amount(pruned.events, 'event')}, ` +
        `${amount(pruned.tokens, 'expired token')}, ${amount(pruned.passwordResets, 'reset link')}, ` +
        `${amount(pruned.spent, 'mark')} against second uses, and ` +
        `${amount(pruned.unverified, 'account')} whose e-mail nobody verified.`
    )
  }
}
