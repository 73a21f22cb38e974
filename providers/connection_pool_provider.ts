import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Bounds how many requests wait for a connection to the database, on every pool of a server.
 */
export default class ConnectionPoolProvider {
  constructor(protected app: ApplicationService) {}

  async boot() {
    const emitter = await this.app.container.make('emitter')
    const { limitAcquireQueue } = await import('#app/database/acquire_queue_limit')
    emitter.on('db:connection:connect', ({ client }) => {
      if (client) limitAcquireQueue(client.client)
    })
  }
}
