import { setTimeout as sleep } from 'node:timers/promises'
import { flags } from '@adonisjs/core/ace'
import { escapeJson } from '#app/terminal/escape'
import { EventCommand, inOneLine } from '#app/terminal/event_command'
import { onInterrupt } from '#app/terminal/interrupt'
import type { EventType } from '#app/event_log/append'
import type { PlacedEvent } from '#app/event_log/read'

const PAGE = 500

/**
 * Milliseconds between two looks when nothing new is there.
 */
const LOOK_EVERY = 250

/**
 * Follows the log as it happens, whichever process or node it happens in.
 */
export default class EventsTail extends EventCommand {
  static commandName = 'events:tail'
  static description = 'Follow the log as it happens'
  static help = [
    'Ends with Ctrl-C. With --json, every event is one JSON object on a line of its own.',
    '',
    'Examples:',
    '  {{ binaryName }} events:tail',
    '  {{ binaryName }} events:tail --user=ada@example.com --since=24h',
    '  {{ binaryName }} events:tail --json --since=2026-11-24T03:00:00Z',
  ]

  @flags.boolean({ description: 'Follow on; --no-follow ends with the last event', default: true })
  declare follow: boolean

  protected async perform() {
    const { endOfLog, readEvents } = await import('#app/event_log/read')
    const { E_CURSOR_GONE } = await import('#exceptions/errors')
    const { type, ...filters } = await this.readFilters()
    const types = type === undefined ? undefined : [type as EventType]
    const fromStart = filters.since !== undefined || !this.follow
    let after = fromStart ? null : await endOfLog()

    const { signal, release } = onInterrupt({ stopUnread: true })
    while (!signal.aborted) {
      const page = await readEvents({ after, limit: PAGE, types, ...filters }).catch((error) => {
        if (error instanceof E_CURSOR_GONE) return null
        throw error
      })
      if (!page) {
        this.logger.logError(
          'The log was replaced, as by a restored backup, or pruned: what happened meanwhile may be missing here. Following on from now.'
        )
        after = await endOfLog()
        continue
      }
      for (const event of page.events) this.#print(event)
      after = page.place
      if (page.events.length > 0) continue
      if (!this.follow) break
      await sleep(LOOK_EVERY, undefined, { signal }).catch(() => {})
    }
    release()
  }

  #print(event: PlacedEvent) {
    const { place, ...told } = event
    if (this.json) this.logger.log(escapeJson(told))
    else this.logger.log(inOneLine(event))
  }
}
