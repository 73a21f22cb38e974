import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import logger from '@adonisjs/core/services/logger'
import { MailResponse } from '@adonisjs/mail'
import type { MailTransportContract, NodeMailerMessage, Recipient } from '@adonisjs/mail/types'

/**
 * Writes each mail to a file of its own instead of sending it, and says in the log which: for
 * development, where no SMTP server is at hand.
 */
export class FileTransport implements MailTransportContract {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async send(message: NodeMailerMessage): Promise<MailResponse<{ file: string }>> {
    const messageId = randomUUID()
    const day = new Date().toISOString().replaceAll(':', '-').slice(0, 19)
    const file = join(this.#directory, `${day}-${messageId.slice(0, 8)}.txt`)
    const to = (message.to ?? []).map(addressOf)

    await mkdir(this.#directory, { recursive: true })
    const head = [`To: ${to.join(', ')}`, `Subject: ${message.subject ?? ''}`]
    await writeFile(file, `${head.join('\n')}\n\n${String(message.text)}\n`, { mode: 0o600 })
    logger.info({ file }, 'A mail was written to a file, because SMTP_HOST is not set.')
    return new MailResponse(messageId, { from: false, to }, { file })
  }
}

/**
 * Refuses to send: production without `SMTP_HOST`.
 */
export class NoTransport implements MailTransportContract {
  async send(): Promise<never> {
    throw Object.assign(new Error('SMTP_HOST is not set.'), { code: 'SMTP_HOST_MISSING' })
  }
}

function addressOf(recipient: Recipient): string {
  return typeof recipient === 'string' ? recipient : recipient.address
}
