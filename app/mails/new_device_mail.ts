import { BaseMail } from '@adonisjs/mail'
import { keysInWords } from '#mails/keys_in_words'
import { deviceInWords, momentInWords, protection } from '#mails/wording'
import type { Device } from '#app/devices/device'

/**
 * Tells a person that their account was used to sign in on a device not seen before.
 */
export default class NewDeviceMail extends BaseMail {
  override subject = 'A sign-in on a new device'

  constructor(
    private signIn: {
      device: Pick<Device, 'name' | 'platform'>
      ip: string | null
      createdAt: Date
    },
    private keys: string[]
  ) {
    super()
  }

  override prepare() {
    const { device, ip, createdAt } = this.signIn
    this.message.text(
      [
        'Your account was used to sign in on a device that was not seen before:',
        '',
        `  ${deviceInWords(device)}`,
        `  ${momentInWords(createdAt)}${ip ? `, from ${ip}` : ''}`,
        '',
        `If this was not you, ${protection()}.`,
        ...keysInWords(this.keys),
      ].join('\n')
    )
  }
}
