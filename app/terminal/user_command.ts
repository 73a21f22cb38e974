import { args, flags } from '@adonisjs/core/ace'
import { UnknownUser } from '#app/terminal/failures'
import { explainValidation } from '#app/terminal/filtered_command'
import { OperatorCommand } from '#app/terminal/operator_command'
import type User from '#models/user'

/**
 * Commands that do something to one user, for a reason.
 */
export abstract class UserCommand extends OperatorCommand {
  @args.string({ description: 'E-mail, id or external:ID of the user' })
  declare user: string

  @flags.string({ description: 'Why, for the log' })
  declare reason: string

  protected async readUser(): Promise<User> {
    const { findUser } = await import('#app/accounts/find_users')
    const user = await findUser(this.user)
    if (!user) throw new UnknownUser(this.user)
    return user
  }

  /**
   * By whom and why, for the log. Throws `UsageFailure` for a reason that is too long.
   */
  protected async readOrder() {
    const { reasonValidator } = await import('#validators/force_logout')
    const { reason } = await reasonValidator
      .validate({ reason: this.reason })
      .catch(explainValidation)
    return { actor: `command:${this.commandName}`, note: reason } as const
  }
}
