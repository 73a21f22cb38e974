import type { ApplicationService } from '@adonisjs/core/types'

/**
 * What of `SHUTDOWN_TIMEOUT` the requests that have begun may take; the rest is for what is written
 * and sent behind the answers.
 */
export const SHARE_OF_REQUESTS = 0.7

let stopping: Promise<void> | undefined

/**
 * Stops a server and ends its process, within `SHUTDOWN_TIMEOUT`: a database, a mail server or a client
 * that does not answer holds it no longer. What must not be lost is in the database by then.
 */
export function shutDown(app: ApplicationService): Promise<void> {
  stopping ??= stop(app)
  return stopping
}

async function stop(app: ApplicationService): Promise<void> {
  const { default: env } = await import('#start/env')
  const logger = await app.container.make('logger')
  const timeout = env.get('SHUTDOWN_TIMEOUT')
  setTimeout(() => {
    logger.warn(
      { timeout: `${timeout / 1000}s` },
      'Stopped after SHUTDOWN_TIMEOUT: what was still under way was given up.'
    )
    process.exit()
  }, timeout)
  await app.terminate()
  process.exit()
}
