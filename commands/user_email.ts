import { args } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { CommandFailure, UnknownUser } from '#app/terminal/failures'
import { explainValidation } from '#app/terminal/filtered_command'
import { UserCommand } from '#app/terminal/user_command'

/**
 * Gives a user another e-mail address.
 */
export default class UserEmail extends UserCommand {
  static commandName = 'user:email'
  static description = 'Give a user another e-mail address'
  static help = [
    'The sessions go on, links that were mailed stop working. The new address counts as not',
    'verified until its link is opened. Example:',
    '  {{ binaryName }} user:email ada@example.com ada@lovelace.example --reason="lost mailbox"',
  ]

  @args.string({ description: 'The new address' })
  declare email: string

  protected async perform() {
    const { changeEmail } = await import('#app/accounts/email_verification')
    const { changeEmailValidator } = await import('#validators/emails')
    const { E_EMAIL_TAKEN } = await import('#exceptions/errors')

    const { email } = await changeEmailValidator
      .validate({ email: this.email })
      .catch(explainValidation)
    const order = await this.readOrder()
    const found = await this.readUser()
    const user = await changeEmail(found.id, email, order).catch((error) => {
      if (!(error instanceof E_EMAIL_TAKEN)) throw error
      throw new CommandFailure('Another account has this address. Nothing was changed.')
    })
    if (!user) throw new UnknownUser(this.user)

    this.say(`${escapeText(found.reference)} is ${escapeText(email)} now.`)
    this.printJson({ user: { id: user.id, email: user.email } })
  }
}
