import type { ApplicationService } from '@adonisjs/core/types'
import type { Maintenance } from '#sessions/maintenance'

/**
 * Once an hour one of the nodes prunes.
 */
const INTERVAL = 60 * 60 * 1000

/**
 * How often a node asks whether an hour has gone by.
 */
const LOOK_EVERY = 60 * 1000

/**
 * Regular work of the server. It begins when the HTTP server is up: ace and code generation boot
 * providers too, and do none of it.
 */
export default class MaintenanceProvider {
  #pruning?: Maintenance

  constructor(protected app: ApplicationService) {}

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { Maintenance } = await import('#sessions/maintenance')
    const { prune } = await import('#sessions/prune')
    const { default: sessionsConfig } = await import('#config/sessions')
    const logger = await this.app.container.make('logger')

    this.#pruning = new Maintenance(
      {
        task: 'prune',
        interval: INTERVAL,
        lookEvery: LOOK_EVERY,
        work: async (signal) => {
          const pruned = await prune({ olderThan: sessionsConfig.explainFor, signal })
          logger.info({ pruned }, 'Pruned what has had its time.')
        },
      },
      (error) => logger.warn({ code: (error as { code?: string }).code }, 'Pruning failed.')
    )
    this.#pruning.start()
  }

  async shutdown() {
    await this.#pruning?.stop()
  }
}
