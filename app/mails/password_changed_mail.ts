import { BaseMail } from '@adonisjs/mail'
import { keysInWords } from '#mails/keys_in_words'
import { momentInWords } from '#mails/wording'

/**
 * Tells a person that their password was changed.
 */
export default class PasswordChangedMail extends BaseMail {
  override subject = 'Your password was changed'

  constructor(
    private at: Date,
    private keys: string[]
  ) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        `The password of your account was changed at ${momentInWords(this.at)}.`,
        '',
        'If this was not you, reset your password now and tell an administrator.',
        ...keysInWords(this.keys),
      ].join('\n')
    )
  }
}
