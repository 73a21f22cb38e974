import { BaseMail } from '@adonisjs/mail'

/**
 * Tells a person that somebody tried to sign up with the address of their account, and carries the link
 * by which they get in if it was them.
 */
export default class SignUpAgainMail extends BaseMail {
  override subject = 'You have an account already'

  constructor(private link: string) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        'Somebody, most likely you, tried to sign up with this address. It has an account already, so',
        'none was made and nothing has changed. Sign in with your password; to set a new one, open this',
        'link within an hour:',
        '',
        this.link,
        '',
        'It works once and signs you out everywhere. If it was not you, do nothing.',
      ].join('\n')
    )
  }
}
