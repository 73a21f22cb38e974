import { escapeText } from '#app/terminal/escape'
import { UnknownUser } from '#app/terminal/failures'
import { UserCommand } from '#app/terminal/user_command'
import { amount } from '#app/terminal/progress_bar'

/**
 * Disables an account.
 */
export default class UserDisable extends UserCommand {
  static commandName = 'user:disable'
  static description = 'Disable an account and end all its sessions and API keys'
  static help = [
    'Nobody signs in to the account until user:enable. The last admin stays. Example:',
    '  {{ binaryName }} user:disable ada@example.com --reason="left the company"',
  ]

  protected async perform() {
    const { disableUser } = await import('#app/accounts/disabled_users')
    const order = await this.readOrder()
    const found = await this.readUser()
    const disabled = await disableUser(found.id, order)
    if (!disabled) throw new UnknownUser(this.user)

    const { user, ended, apiKeysEnded } = disabled
    this.say(
      `${escapeText(user.reference)} is disabled. Ended ${amount(ended, 'session')} and ${amount(apiKeysEnded, 'API key')}.`
    )
    const { id, email, disabledAt } = user
    this.printJson({ user: { id, email, disabledAt }, ended, apiKeysEnded })
  }
}
