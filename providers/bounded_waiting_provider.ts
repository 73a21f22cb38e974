import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Bounds how many requests wait for a connection to the database, on every pool of a server.
 */
export default class BoundedWaitingProvider {
  constructor(protected app: ApplicationService) {}

  async boot() {
    const emitter = await this.app.container.make('emitter')
    const { boundWaiting } = await import('#app/database_connections/bounded_waiting')
    emitter.on('db:connection:connect', ({ client }) => {
      if (client) boundWaiting(client.client)
    })
  }
}
