import { flags } from '@adonisjs/core/ace'
import { UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'

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
      `Wrote the end of ${pruned.lapsed} session(s). Removed ${pruned.sessions} ended session(s), ` +
        `${pruned.endedTokens} explained token(s), ${pruned.events} event(s), ` +
        `${pruned.tokens} expired token(s), ${pruned.passwordResets} reset link(s), ${pruned.spent} spent proof(s) ` +
        `and counts, and ${pruned.unverified} account(s) whose e-mail nobody verified.`
    )
  }
}
