import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Refuses to start, with one line, where a dependency has lost what the application relies on.
 */
export default class InternalsProvider {
  constructor(protected app: ApplicationService) {}

  async start() {
    const { assertInternals } = await import('#app/internals')
    await assertInternals().catch((error: Error) => {
      process.stderr.write(`${error.message}\n`)
      process.exit(1)
    })
  }
}
