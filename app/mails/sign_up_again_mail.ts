import { BaseMail } from '@adonisjs/mail'

const OWNED = [
  'Somebody, most likely you, tried to sign up with this address. It has an account already, so',
  'none was made and nothing has changed. Sign in with your password; to set a new one, open this',
  'link within an hour:',
]

const DISPUTED = [
  'Somebody, most likely you, tried to sign up with this address, with which somebody had signed up',
  'before and not confirmed it. Passwords given so far do not count, and earlier links to confirm do',
  'not work. To confirm that the address is yours, set your password: open this link within an hour:',
]

/**
 * Tells a person that somebody tried to sign up with the address of their account, and carries the link
 * by which they get in if it was them. `isDisputed`: the account awaited its verification, so it has no
 * password any more.
 */
export default class SignUpAgainMail extends BaseMail {
  override subject = 'You have an account already'

  constructor(
    private link: string,
    private isDisputed: boolean
  ) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        ...(this.isDisputed ? DISPUTED : OWNED),
        '',
        this.link,
        '',
        'It works once and signs you out everywhere. If it was not you, do nothing.',
      ].join('\n')
    )
  }
}
