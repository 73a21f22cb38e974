import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Adds to the commands of the framework what this application wants of them.
 */
export default class FrameworkCommandsProvider {
  constructor(protected app: ApplicationService) {}

  async start() {
    const { afterCommand, beforeCommand } = await import('#app/terminal/framework_commands')
    const ace = await this.app.container.make('ace')
    ace.executing((command) => beforeCommand(command))
    ace.executed((command) => afterCommand(command))
  }

  async shutdown() {
    const { afterCommand } = await import('#app/terminal/framework_commands')
    await afterCommand(null)
  }
}
