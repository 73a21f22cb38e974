import type { BaseMail } from '@adonisjs/mail'
import logger from '@adonisjs/core/services/logger'
import mail from '@adonisjs/mail/services/main'
import { BackgroundQueue } from '#app/background/background_queue'
import type User from '#models/user'

/**
 * Mails on their way. Their text can hold a reset link, so a failure tells the kind of fault and
 * nothing of the mail.
 */
export const notices = new BackgroundQueue({ atOnce: 2, waiting: 1_000 }, (error) => {
  const { code, responseCode } = (error ?? {}) as { code?: string; responseCode?: number }
  logger.warn({ code, responseCode }, 'A mail could not be sent.')
})

/**
 * Sends a mail to a user, in the background: call it after the commit of what the mail tells. It
 * never throws; a mail that finds too many before it, or no server, is lost and the log says so. A user
 * without an e-mail is not written to.
 */
export function notify(user: Pick<User, 'email'>, notice: BaseMail): void {
  if (user.email === null) return
  notice.message.to(user.email)
  const taken = notices.add(async () => {
    await mail.send(notice)
  })
  if (!taken) logger.warn('Too many mails wait to be sent: one was dropped.')
}
