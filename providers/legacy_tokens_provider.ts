import type { ApplicationService } from '@adonisjs/core/types'
import type { ScheduledJob } from '#app/background/scheduled_job'

/**
 * How often one of the nodes deletes in the old database what was exchanged and still stands there.
 */
const INTERVAL = 60 * 1000

/**
 * Has exchanged tokens deleted where they came from: also after the day on which the door closed, for
 * as long as the variables say where that is.
 */
export default class LegacyTokensProvider {
  #deleting?: ScheduledJob

  constructor(protected app: ApplicationService) {}

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const { default: config } = await import('#config/legacy_tokens')
    if (!config.kind) return
    const { ScheduledJob } = await import('#app/background/scheduled_job')
    const { deleteSpentTokens, reportLeft } = await import('#app/accounts/spent_legacy_tokens')
    this.#deleting = new ScheduledJob(
      {
        task: 'legacy_tokens',
        interval: INTERVAL,
        lookEvery: INTERVAL,
        work: async (signal) => {
          await deleteSpentTokens(signal)
        },
      },
      reportLeft
    )
    this.#deleting.start()
  }

  async shutdown() {
    const { deletions } = await import('#app/accounts/spent_legacy_tokens')
    await this.#deleting?.stop()
    await deletions.settled()
  }
}
