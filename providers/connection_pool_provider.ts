import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Milliseconds between two looks whether new connections to PostgreSQL lead to another server.
 */
const LOOK_EVERY = 5_000

/**
 * Has every pool connect the application's way, bounds how many wait for a connection, and sees to it
 * that none leads to a database that it must not: a file that was replaced, a server that was demoted.
 */
export default class ConnectionPoolProvider {
  #looking?: NodeJS.Timeout
  #stopped = false

  constructor(protected app: ApplicationService) {}

  async boot() {
    const emitter = await this.app.container.make('emitter')
    const { limitAcquireQueue } = await import('#app/database/acquire_queue_limit')
    const { assertInPlace } = await import('#app/database/sqlite_file')
    /** Commands make databases, servers don't: the name of the file may be mistyped. */
    const mayCreate = ['console', 'test'].includes(this.app.getEnvironment())
    emitter.on('db:connection:connect', ({ client, config }) => {
      const { filename: file } = (config.connection ?? {}) as { filename?: string }
      const onDisk = file !== undefined && file !== ':memory:'
      const assertUsable = onDisk ? () => assertInPlace(file, { mayCreate }) : undefined
      if (client) limitAcquireQueue(client.client, { assertUsable })
    })
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
  }

  /**
   * Says where the data is and how it was reached. Not waited for: a database that does not answer
   * holds up nothing here.
   */
  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { describeDatabase } = await import('#app/database/describe')
    void describeDatabase(await this.app.container.make('logger'))
    const { usesPostgres } = await import('#start/env')
    if (!usesPostgres) return
    const { lookForFailover } = await import('#app/database/postgres_server')
    const lookLater = () => {
      if (this.#stopped) return
      this.#looking = setTimeout(
        () => void lookForFailover().finally(lookLater),
        LOOK_EVERY
      ).unref()
    }
    lookLater()
  }

  async shutdown() {
    this.#stopped = true
    clearTimeout(this.#looking)
  }
}
