import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Makes the hash that stands in for those of unknown users, once the HTTP server is up: ace and
 * code generation boot providers too, and check no password. Where it can't be made now, the first
 * sign-in that needs it makes it.
 */
export default class DecoyProvider {
  constructor(protected app: ApplicationService) {}

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { prepareDecoy } = await import('#app/passwords/passwords')
    const logger = await this.app.container.make('logger')
    await prepareDecoy().catch((error: { code?: string }) =>
      logger.warn({ code: error.code }, 'The first sign-in of an unknown user will take longer.')
    )
  }
}
