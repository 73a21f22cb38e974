import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Has every pool connect the application's way, and bounds how many requests wait for a connection
 * of a server.
 */
export default class ConnectionPoolProvider {
  constructor(protected app: ApplicationService) {}

  async boot() {
    if (this.app.getEnvironment() === 'web') {
      const emitter = await this.app.container.make('emitter')
      const { limitAcquireQueue } = await import('#app/database/acquire_queue_limit')
      emitter.on('db:connection:connect', ({ client }) => {
        if (client) limitAcquireQueue(client.client)
      })
    }
    const { usesPostgres } = await import('#start/env')
    if (usesPostgres) await this.#connectPools()
  }

  async #connectPools() {
    const { connectPoolBy } = await import('#app/database/postgres')
    const { postgresOptions } = await import('#config/database')
    const db = await this.app.container.make('lucid.db')
    for (const [name, options] of Object.entries(postgresOptions)) {
      connectPoolBy(db.connection(name).getWriteClient().client, options)
    }
    if (this.app.getEnvironment() === 'console') await this.#migrateDirectly()
  }

  /**
   * Migrations have a connection of their own, unless the command names one.
   */
  async #migrateDirectly() {
    const { direct } = await import('#config/database')
    const ace = await this.app.container.make('ace')
    ace.executing((command) => {
      const { commandName } = command.constructor as { commandName?: string }
      if (!commandName?.startsWith('migration:')) return
      if (direct.pooler === 'transaction') {
        throw new Error(
          'Migrations lock a session, which a pooler of transactions does not keep: set DATABASE_DIRECT_URL to a URL of PostgreSQL itself.'
        )
      }
      Object.assign(command, { connection: Reflect.get(command, 'connection') ?? 'migrations' })
    })
  }

  /**
   * Says where the data is and how it was reached. Not waited for: a database that does not answer
   * holds up nothing here.
   */
  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { describeDatabase } = await import('#app/database/describe')
    void describeDatabase(await this.app.container.make('logger'))
  }
}
