import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Says at the start of a server which tokens of an old system it believes more of than most want.
 */
export default class LegacyJwtProvider {
  constructor(protected app: ApplicationService) {}

  async start() {
    if (this.app.getEnvironment() !== 'web') return
    const { default: config } = await import('#config/legacy_jwt')
    const logger = await this.app.container.make('logger')
    if (!config.until) {
      if (config.secret || config.jwks) {
        logger.warn('LEGACY_JWT_UNTIL is not set: no old token is exchanged, whatever its key.')
      }
      return
    }
    if (!config.issuer) {
      logger.warn('LEGACY_JWT_ISSUER is not set: a token of any issuer with that key is exchanged.')
    }
    if (!config.audience) {
      logger.warn(
        'LEGACY_JWT_AUDIENCE is not set: a token that was made for any other service is exchanged.'
      )
    }
  }
}
