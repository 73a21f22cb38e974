/**
 * Gives links and mails that are on their way a few seconds at shutdown. It comes after the mail provider,
 * so that it shuts down before that one closes its connections.
 */
export default class NoticesProvider {
  async shutdown() {
    const { notices } = await import('#mails/mail_queue')
    const { linkRequests } = await import('#app/accounts/mailed_links')
    await linkRequests.settled()
    await notices.settled()
  }
}
