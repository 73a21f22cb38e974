import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Milliseconds between two looks whether new connections to PostgreSQL lead to another server.
 */
const LOOK_EVERY = 5_000

/**
 * Bounds how many wait for a connection to the database, on every pool, and sees to it that none
 * leads to a database that it must not: a file that was replaced, a server that was demoted.
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
  }

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { default: db } = await import('@adonisjs/lucid/services/db')
    if (db.connection().dialect.name !== 'postgres') return
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
