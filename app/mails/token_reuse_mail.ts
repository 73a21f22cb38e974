import { BaseMail } from '@adonisjs/mail'
import { deviceInWords, momentInWords, protection } from '#mails/wording'
import type { Device } from '#app/devices/device'

/**
 * Tells a person that a spent refresh token came back, so that somebody may hold a copy of their
 * device's tokens, and that the session was ended.
 */
export default class TokenReuseMail extends BaseMail {
  override subject = 'A sign-in was ended to protect your account'

  constructor(
    private device: Pick<Device, 'name' | 'platform'>,
    private at: Date
  ) {
    super()
  }

  override prepare() {
    this.message.text(
      [
        `The sign-in on ${deviceInWords(this.device)} was ended at ${momentInWords(this.at)}, because`,
        'one of its tokens was used twice. This can be a fault of the app, or somebody copied the',
        'token.',
        '',
        'Please sign in again on that device. If you did not expect this,',
        `${protection()}.`,
      ].join('\n')
    )
  }
}
