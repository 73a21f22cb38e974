import { BaseMail } from '@adonisjs/mail'
import { momentInWords, oneLine, protection } from '#mails/wording'

/**
 * Tells a person that an API key of theirs was made, which outlives their sessions.
 */
export default class ApiKeyCreatedMail extends BaseMail {
  override subject = 'An API key was created'

  constructor(
    private name: string,
    private at: Date
  ) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        `The API key "${oneLine(this.name)}" of your account was created at ${momentInWords(this.at)}.`,
        '',
        'A key lives on whatever ends your sessions. If this was not you, delete it',
        '(DELETE /api/v1/api-keys/:id, or on the page of your devices), then',
        `${protection()}.`,
      ].join('\n')
    )
  }
}
