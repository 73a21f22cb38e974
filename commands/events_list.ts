import { flags } from '@adonisjs/core/ace'
import { EventCommand, inOneLine } from '#app/terminal/event_command'
import { UsageFailure } from '#app/terminal/failures'

/**
 * Lists the log, newest first.
 */
export default class EventsList extends EventCommand {
  static commandName = 'events:list'
  static description = 'List the log, newest first'
  static help = [
    'All filters must match. Examples:',
    '  {{ binaryName }} events:list --user=ada@example.com --type=session.ended',
    '  {{ binaryName }} events:list --actor=command:force:logout --since=24h --limit=500 --json',
  ]

  @flags.number({ description: 'How many entries, at most 10000', default: 100 })
  declare limit: number

  protected async perform() {
    if (!Number.isSafeInteger(this.limit) || this.limit < 1 || this.limit > 10_000) {
      throw new UsageFailure('--limit must be a whole number from 1 to 10000')
    }
    const { listEvents } = await import('#app/event_log/list')
    const { since: from, ...filters } = await this.readFilters()
    const { events, meta } = await listEvents(
      { ...filters, from },
      { page: 1, perPage: this.limit }
    )
    this.printJson({ events, total: meta.total })
    if (events.length === 0) return this.say('There are no such entries.')
    for (const event of events) this.say(inOneLine(event))
    if (meta.total > events.length) this.say(`… and ${meta.total - events.length} more (--limit)`)
  }
}
