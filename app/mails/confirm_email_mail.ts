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
        'Somebody, most likely you, gave this address as that of their account. To confirm that it is',
        'yours, open this link within a day:',
        '',
        this.link,
        '',
        'It works once. If you have no such account, do nothing: without the link the address is not',
        'taken for yours.',
      ].join('\n')
    )
  }
}
