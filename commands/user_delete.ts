import { flags } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { CommandFailure, UnknownUser, UsageFailure } from '#app/terminal/failures'
import { UserCommand } from '#app/terminal/user_command'

/**
 * Deletes an account.
 */
export default class UserDelete extends UserCommand {
  static commandName = 'user:delete'
  static description = 'Delete an account; all its sessions and API keys end'
  static help = [
    'Nothing brings it back. The last admin stays. Example:',
    '  {{ binaryName }} user:delete ada@example.com --reason="asked us to" --yes',
  ]

  @flags.boolean({ description: 'Do not ask' })
  declare yes: boolean

  protected async perform() {
    const { deleteUser } = await import('#app/accounts/delete_account')
    const order = await this.readOrder()
    const user = await this.readUser()
    const name = escapeText(user.reference)
    if (!this.yes) {
      if (!this.canAsk) {
        throw new UsageFailure(
          'Deleting needs --yes where no one can be asked. Nothing was changed.'
        )
      }
      const agreed = await this.prompt.confirm(`Delete ${name} for good?`, { name: 'delete' })
      if (!agreed) throw new CommandFailure('Not done. Nothing was changed.')
    }
    if (!(await deleteUser(user.id, order))) throw new UnknownUser(this.user)
    this.say(`${name} is deleted.`)
    this.printJson({ user: { id: user.id, email: user.email }, deleted: true })
  }
}
