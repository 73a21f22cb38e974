import { BaseMail } from '@adonisjs/mail'
import { keysInWords } from '#mails/keys_in_words'

/**
 * Carries the link by which a person sets a new password.
 */
export default class PasswordResetMail extends BaseMail {
  override subject = 'Reset your password'

  constructor(
    private link: string,
    private keys: string[]
  ) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        'Somebody, most likely you, asked to reset the password of your account. To set a new one,',
        'open this link within an hour:',
        '',
        this.link,
        '',
        'It works once and signs you out everywhere. If you did not ask for it, do nothing: your',
        'password stays as it is.',
        ...keysInWords(this.keys),
      ].join('\n')
    )
  }
}
