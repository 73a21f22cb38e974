import { BaseMail } from '@adonisjs/mail'

/**
 * Carries the link by which a person shows that an address is theirs.
 */
export default class ConfirmEmailMail extends BaseMail {
  override subject = 'Confirm your e-mail address'

  constructor(private link: string) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        'Somebody, most likely you, gave this address as that of their account. Confirm only if you',
        'signed up, or asked for it in your account, yourself. Then open this link within a day:',
        '',
        this.link,
        '',
        'It works once. If it was not you, do nothing: with the link you would confirm the account of',
        'somebody else, who knows its password. Without it the address is not taken for theirs.',
      ].join('\n')
    )
  }
}
