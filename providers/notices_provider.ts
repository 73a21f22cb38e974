import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Says at the start of a server that accounts can't be verified because no mail is sent. Gives links and mails that are on their way a few seconds at shutdown. It comes after the mail provider,
 * so that it shuts down before that one closes its connections.
 */
export default class NoticesProvider {
  constructor(protected app: ApplicationService) {}

  async start() {
    if (this.app.getEnvironment() !== 'web' || !this.app.inProduction) return
    const { default: accountsConfig } = await import('#config/accounts')
    const { default: env } = await import('#start/env')
    if (!accountsConfig.verifiesEmail || env.get('SMTP_HOST')) return
    const logger = await this.app.container.make('logger')
    logger.warn(
      'EMAIL_VERIFICATION=required, but SMTP_HOST is not set: no mail is sent, so nobody who signs up can sign in.'
    )
  }

  async shutdown() {
    const { notices } = await import('#mails/mail_queue')
    const { linkRequests } = await import('#app/accounts/mailed_links')
    await linkRequests.settled()
    await notices.settled()
  }
}
