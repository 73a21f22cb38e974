import type { Device } from '#app/devices/device'
import accountsConfig from '#config/accounts'

/**
 * What a person does who did not do what a mail tells.
 */
export const protection = () =>
  accountsConfig.passwordSignIn
    ? 'change your password now: that signs out every other device'
    : 'sign out your other devices now'

/**
 * A device as a mail names it. What a client said stands on one short line, so that it can't
 * write paragraphs of its own into the mail.
 */
export function deviceInWords(device: Pick<Device, 'name' | 'platform'>): string {
  const name = device.name && oneLine(device.name)
  if (name && device.platform) return `${name} (${device.platform})`
  return name || device.platform || 'a device that gave no name'
}

/**
 * What a client said, on one short line.
 */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{C}]+/gu, ' ').slice(0, 60)
}

/**
 * A moment as a mail names it: `2026-03-01 14:05 UTC`.
 */
export function momentInWords(moment: Date): string {
  return `${moment.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
