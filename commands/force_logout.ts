import { args, flags } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { UnknownUser } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'

/**
 * Signs users out.
 */
export default class ForceLogout extends OperatorCommand {
  static commandName = 'force:logout'
  static description = 'Sign users out, at once, on every device'

  @args.spread({ description: 'E-mail or id of the users' })
  declare users: string[]

  @flags.string({ description: 'Why, for the log' })
  declare reason: string

  protected async perform() {
    const { findUser } = await import('#accounts/find_user')
    const { forceLogoutUser } = await import('#sessions/force_logout')
    const found = await Promise.all(this.users.map(findUser))
    for (const [index, user] of found.entries()) {
      if (!user) throw new UnknownUser(this.users[index])
    }
    let ended = 0
    for (const user of found) {
      const sessions = await forceLogoutUser(user!, {
        actor: `command:${this.commandName}`,
        note: this.reason,
      })
      ended += sessions.length
      this.say(`${escapeText(user!.email)}: ended ${sessions.length} session(s).`)
    }
    this.printJson({ ended })
  }
}
