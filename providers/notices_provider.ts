import type { ApplicationService } from '@adonisjs/core/types'

/**
 * How long links, and then mails, that are on their way are waited for at shutdown, as shares of
 * `SHUTDOWN_TIMEOUT`.
 */
const SHARES = { links: 0.1, mails: 0.1 }

/**
 * Sends the mails that wait in the database while the server runs; says at its start that none is sent.
 * It comes after the mail provider, so that it shuts down before that one closes its connections.
 */
export default class NoticesProvider {
  constructor(protected app: ApplicationService) {}

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { sendsMail } = await import('#config/mail')
    if (sendsMail) {
      const { postman } = await import('#mails/postman')
      return postman.start()
    }
    const { default: accountsConfig } = await import('#config/accounts')
    const logger = await this.app.container.make('logger')
    logger.warn(
      accountsConfig.verifiesEmail
        ? 'SMTP_HOST is not set: no mail is sent. With EMAIL_VERIFICATION=required nobody who signs up can sign in.'
        : 'SMTP_HOST is not set: no mail is sent, so nobody can reset a password or is told of a new device.'
    )
  }

  async shutdown() {
    const { linkRequests } = await import('#app/accounts/mailed_links')
    const { postman } = await import('#mails/postman')
    const { default: env } = await import('#start/env')
    const timeout = env.get('SHUTDOWN_TIMEOUT')
    const links = await linkRequests.settled(timeout * SHARES.links)
    const mails = await postman.stop(timeout * SHARES.mails)
    if (links + mails === 0) return
    const logger = await this.app.container.make('logger')
    logger.warn(
      { links, mails },
      'Stopped with links and mails under way: the links must be asked for again, the mails wait in the database.'
    )
  }
}
