import { escapeText } from '#app/terminal/escape'
import { UnknownUser } from '#app/terminal/failures'
import { UserCommand } from '#app/terminal/user_command'

/**
 * Enables an account again.
 */
export default class UserEnable extends UserCommand {
  static commandName = 'user:enable'
  static description = 'Let a disabled account sign in again'
  static help = [
    'What ended stays ended. Example:',
    '  {{ binaryName }} user:enable ada@example.com --reason="came back"',
  ]

  protected async perform() {
    const { enableUser } = await import('#app/accounts/disabled_users')
    const order = await this.readOrder()
    const found = await this.readUser()
    const user = await enableUser(found.id, order)
    if (!user) throw new UnknownUser(this.user)

    const { id, email, disabledAt } = user
    this.say(`${escapeText(user.reference)} is enabled.`)
    this.printJson({ user: { id, email, disabledAt } })
  }
}
