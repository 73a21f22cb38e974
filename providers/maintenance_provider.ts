import type { ApplicationService } from '@adonisjs/core/types'
import type { ScheduledJob } from '#app/background/scheduled_job'

/**
 * Once an hour one of the nodes prunes.
 */
const INTERVAL = 60 * 60 * 1000

/**
 * A force logout that was killed is taken up once its process has been silent for so long.
 */
const FINISH_INTERVAL = 60 * 1000

/**
 * How often a node asks whether something is due.
 */
const LOOK_EVERY = 60 * 1000

/**
 * How often a node whose database lacks migrations asks whether it has them.
 */
const MIGRATIONS_EVERY = 5_000

/**
 * Regular work of the server. It begins when the HTTP server is up: ace and code generation boot
 * providers too, and do none of it.
 */
export default class MaintenanceProvider {
  #pruning?: ScheduledJob
  #finishing?: ScheduledJob
  #migrated?: NodeJS.Timeout

  constructor(protected app: ApplicationService) {}

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { ScheduledJob } = await import('#app/background/scheduled_job')
    const { prune } = await import('#app/jobs/prune')
    const { default: sessionsConfig } = await import('#config/sessions')
    const logger = await this.app.container.make('logger')
    /** Not waited for: a database that does not answer holds up nothing here. */
    void this.#tellOfMigrations().catch(() => {})

    this.#pruning = new ScheduledJob(
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

    const { backfillWatermarks, FINISHING } = await import('#app/watermarks/backfill')
    const { endOfLog } = await import('#app/event_log/read')
    this.#finishing = new ScheduledJob(
      {
        task: FINISHING,
        interval: FINISH_INTERVAL,
        lookEvery: LOOK_EVERY,
        work: async (signal) => {
          await backfillWatermarks({ signal })
          /** Gives positions to what nobody has read, so that the next reader finds little to do. */
          await endOfLog()
        },
      },
      (error) =>
        logger.warn(
          { code: (error as { code?: string }).code },
          'The ends behind a watermark could not all be written.'
        )
    )
    this.#finishing.start()
  }

  /**
   * Says which migrations the database lacks, or that it can't be asked, and once it has them: until then
   * what needs them is a 503.
   */
  async #tellOfMigrations() {
    const { pendingMigrations } = await import('#app/migrations/pending')
    const { outageOf } = await import('#exceptions/outage')
    const logger = await this.app.container.make('logger')
    const pending = await pendingMigrations().catch((error) => {
      logger.error(outageOf(error) ?? 'The database could not be asked which migrations it lacks.')
      return null
    })
    if (pending?.length === 0) return
    if (pending) {
      logger.error(
        { pending },
        `The database lacks ${pending.length} migrations, and what needs them answers 503: run "node ace migration:run --force".`
      )
    }
    this.#migrated = setInterval(() => {
      void pendingMigrations().then(
        ({ length }) => {
          if (length > 0) return
          clearInterval(this.#migrated)
          logger.info('The database has every migration now.')
        },
        () => {}
      )
    }, MIGRATIONS_EVERY).unref()
  }

  async shutdown() {
    clearInterval(this.#migrated)
    await this.#pruning?.stop()
    await this.#finishing?.stop()
  }
}
