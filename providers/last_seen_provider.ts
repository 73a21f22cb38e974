/**
 * Writes the uses that are still in the buffers before the database connections close: providers shut
 * down in reverse order, and this one comes after the database's.
 */
export default class LastSeenProvider {
  async shutdown() {
    const { lastSeen } = await import('#app/sessions/last_seen')
    const { keyLastUsed } = await import('#app/api_keys/last_used')
    await Promise.allSettled([lastSeen.close(), keyLastUsed.close()])
  }
}
