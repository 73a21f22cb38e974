import { flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#app/terminal/operator_command'
import { amount } from '#app/terminal/progress_bar'

/**
 * Applies the session limits now, instead of at each user's next sign-in.
 */
export default class SessionsTrim extends OperatorCommand {
  static commandName = 'sessions:trim'
  static description = "End the sessions that are beyond their user's limit"
  static help = [
    'Ends the least recently seen ones, with the reason "forced", since nobody took their place.',
    'Run it after a limit was lowered; without it the limit takes effect at the next sign-in.',
  ]

  @flags.boolean({ description: 'Say how many of how many users it would be, and end none' })
  declare dryRun: boolean

  protected async perform() {
    const { enforceLimits } = await import('#app/jobs/enforce_limits')
    const dryRun = Boolean(this.dryRun)
    const trimmed = await enforceLimits({ actor: `command:${this.commandName}`, dryRun })
    this.printJson({ ...trimmed, dryRun })
    const verb = dryRun ? 'Would end' : 'Ended'
    this.say(`${verb} ${amount(trimmed.sessions, 'session')} of ${amount(trimmed.users, 'user')}.`)
  }
}
