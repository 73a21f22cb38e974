import { setTimeout as sleep } from 'node:timers/promises'
import { flags } from '@adonisjs/core/ace'
import { escapeJson, escapeText } from '#app/terminal/escape'
import { UnknownUser } from '#app/terminal/failures'
import { explainValidation } from '#app/terminal/filtered_command'
import { onInterrupt } from '#app/terminal/interrupt'
import { OperatorCommand } from '#app/terminal/operator_command'
import type { LoggedEvent, PlacedEvent } from '#app/event_log/read'

const PAGE = 500

/**
 * Milliseconds between two looks when nothing new is there.
 */
const LOOK_EVERY = 250

/**
 * Follows the log as it happens, whichever process or node it happens in.
 */
export default class EventsTail extends OperatorCommand {
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

  @flags.string({ description: 'Only what is about this user: e-mail or id' })
  declare user: string

  @flags.string({ description: 'Begin in the past: a duration (24h) or a date or time (UTC)' })
  declare since: string

  @flags.boolean({ description: 'Follow on; --no-follow ends with the last event', default: true })
  declare follow: boolean

  protected async perform() {
    const { endOfLog, readEvents } = await import('#app/event_log/read')
    const { E_CURSOR_GONE } = await import('#exceptions/errors')
    const since = await this.#readSince()
    const userId = await this.#readUserId()
    const fromStart = since !== undefined || !this.follow
    let after = fromStart ? null : await endOfLog()

    const { signal, release } = onInterrupt({ stopUnread: true })
    while (!signal.aborted) {
      const page = await readEvents({ after, limit: PAGE, userId, since }).catch((error) => {
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

  async #readSince(): Promise<Date | undefined> {
    const { sinceValidator } = await import('#validators/force_logout')
    const { since } = await sinceValidator.validate({ since: this.since }).catch(explainValidation)
    return since
  }

  async #readUserId(): Promise<number | undefined> {
    if (this.user === undefined) return undefined
    const { findUser } = await import('#app/accounts/find_users')
    const user = await findUser(this.user)
    if (!user) throw new UnknownUser(this.user)
    return user.id
  }

  #print(event: PlacedEvent) {
    const { place, ...told } = event
    if (this.json) this.logger.log(escapeJson(told))
    else this.logger.log(inOneLine(event))
  }
}

function inOneLine({ occurredAt, type, userId, sessionId, reason, actor, data }: LoggedEvent) {
  const parts = [
    occurredAt.toISOString(),
    type.padEnd(16),
    userId === null ? 'everyone' : `user:${userId}`,
    sessionId && `session:${sessionId}`,
    reason,
    `by ${escapeText(actor)}`,
    Object.keys(data).length > 0 && escapeJson(data),
  ]
  return parts.filter(Boolean).join('  ')
}
