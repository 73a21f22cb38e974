import type { BaseMail } from '@adonisjs/mail'
import mail from '@adonisjs/mail/services/main'
import { linkRequests } from '#app/accounts/mailed_links'
import { postman } from '#mails/postman'

/**
 * Collects the application's mail in memory. `read` sends what waits.
 */
export function openMailbox() {
  const { mails } = mail.fake()
  return {
    async read(): Promise<{ to: string; subject: string; text: string }[]> {
      await linkRequests.settled()
      await postman.deliver()
      return mails.sent().map(describe)
    },
    close: () => mail.restore(),
  }
}

function describe({ message }: BaseMail) {
  const { to, subject, text } = message.toObject().message
  const [recipient] = to ?? []
  return {
    to: typeof recipient === 'string' ? recipient : (recipient?.address ?? ''),
    subject: subject ?? '',
    text: String(text),
  }
}

/**
 * The reset token behind the link of a mail.
 */
export function tokenIn(text: string): string {
  const [, token] = /#token=(\S+)/.exec(text) ?? []
  if (!token) throw new Error(`There is no reset link in this mail:\n${text}`)
  return token
}
