import { args } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { UnknownUser, UsageFailure } from '#app/terminal/failures'
import { UserCommand } from '#app/terminal/user_command'
import type { Role } from '#models/user'

const ROLES: Role[] = ['user', 'admin']

/**
 * Makes a user an admin, or an admin a user.
 */
export default class UserRole extends UserCommand {
  static commandName = 'user:role'
  static description = 'Give a user another role'
  static help = [
    'The last admin keeps the role. Examples:',
    '  {{ binaryName }} user:role ada@example.com admin',
    '  {{ binaryName }} user:role ada@example.com user --reason="changed teams"',
  ]

  @args.string({ description: 'user or admin' })
  declare role: string

  protected async perform() {
    const { changeRole } = await import('#app/accounts/roles_and_limits')
    const role = ROLES.find((known) => known === this.role)
    if (!role) throw new UsageFailure(`The role is one of: ${ROLES.join(', ')}.`)

    const order = await this.readOrder()
    const found = await this.readUser()
    const user = await changeRole(found.id, role, order)
    if (!user) throw new UnknownUser(this.user)

    this.say(`${escapeText(user.reference)} is ${role === 'admin' ? 'an admin' : 'a user'}.`)
    this.printJson({ user: { id: user.id, email: user.email, role } })
  }
}
