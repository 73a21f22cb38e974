import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Makes the hash that stands in for those of unknown users, once the HTTP server is up: ace and
 * code generation boot providers too, and check no password.
 */
export default class DecoyProvider {
  constructor(protected app: ApplicationService) {}

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { prepareDecoy } = await import('#app/passwords/passwords')
    await prepareDecoy()
  }
}
