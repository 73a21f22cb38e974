import { BaseMail } from '@adonisjs/mail'
import { momentInWords, protection } from '#mails/wording'

/**
 * Tells a person, at the address of their account, that another one was asked for.
 */
export default class EmailChangeMail extends BaseMail {
  override subject = 'Your e-mail address is about to change'

  constructor(private at: Date) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        `At ${momentInWords(this.at)} somebody signed in to your account asked for another e-mail address.`,
        'It is changed once the link that went to the new address is followed.',
        '',
        `If this was not you, ${protection()},`,
        'and the link stops working.',
      ].join('\n')
    )
  }
}
