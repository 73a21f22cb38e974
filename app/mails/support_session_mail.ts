import { BaseMail } from '@adonisjs/mail'
import env from '#start/env'
import { momentInWords } from '#mails/wording'

/**
 * Tells a person that somebody acts as them.
 */
export default class SupportSessionMail extends BaseMail {
  override subject = 'Support has opened your account'

  constructor(
    private openedAt: Date,
    private until: Date
  ) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        `An administrator of ${env.get('APP_NAME')} has opened your account to help you:`,
        '',
        `  from ${momentInWords(this.openedAt)}`,
        `  until ${momentInWords(this.until)} at the latest`,
        '',
        'They can see what you see and use the service for you. They can not change your password, your',
        'e-mail address or your API keys, and nobody was signed out.',
        '',
        'If you did not ask for help, end that session in the list of your devices.',
      ].join('\n')
    )
  }
}
