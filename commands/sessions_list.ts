import { once } from 'node:events'
import { args, flags } from '@adonisjs/core/ace'
import { escapeJson } from '#app/terminal/escape'
import { failureJson, UsageFailure } from '#app/terminal/failures'
import { FilteredCommand } from '#app/terminal/filtered_command'
import { count } from '#app/terminal/progress_bar'
import type { SessionFilters } from '#app/sessions/filters'

/**
 * Sessions read at once for `--json`, which lists them all.
 */
const PAGE = 1_000

/**
 * Lists live sessions, or ended ones, newest sign-in first.
 */
export default class SessionsList extends FilteredCommand {
  static commandName = 'sessions:list'
  static description = 'List live or ended sessions, of everyone or of one user'
  static help = [
    'Takes the filters of force:logout: all of them must match. --json lists every session, the',
    'table as many as --limit says.',
    '',
    'Examples:',
    '  {{ binaryName }} sessions:list ada@example.com',
    '  {{ binaryName }} sessions:list --platform=ios --idle-for=30d --limit=20',
    '  {{ binaryName }} sessions:list ada@example.com --ended',
    '  {{ binaryName }} sessions:list --json',
  ]

  @args.string({ description: 'E-mail, id or external:ID of the user', required: false })
  declare user: string

  @flags.number({ description: 'Rows of the table; 0 for all', default: 100 })
  declare limit: number

  @flags.boolean({ description: 'Sessions that have ended, with when and why' })
  declare ended: boolean

  protected async perform() {
    if (!Number.isSafeInteger(this.limit) || this.limit < 0) {
      throw new UsageFailure('--limit must be a whole number, 0 or more')
    }
    const filters: SessionFilters = await this.readFilters()
    const users =
      this.user === undefined ? undefined : await this.readUsers([this.user], { reading: true })
    filters.userIds = users?.map((user) => user.id)
    return this.json ? this.#writeJson(filters) : this.#printTable(filters)
  }

  async #printTable(filters: SessionFilters) {
    const { default: db } = await import('@adonisjs/lucid/services/db')
    const { countSessions } = await import('#app/sessions/list')
    const limit = this.limit === 0 ? undefined : this.limit
    const { length, lines } = await this.#readTable(filters, limit)
    if (length === 0) return this.say('There are no such sessions.')

    for (const line of lines) this.say(line)
    if (length !== limit) return
    const which = this.ended ? 'ended' : 'live'
    const total = await countSessions(db.connection(), filters, which)
    if (total > length) this.say(`… and ${count(total - length)} more (--limit=0 shows all)`)
  }

  async #readTable(filters: SessionFilters, limit?: number) {
    const { default: db } = await import('@adonisjs/lucid/services/db')
    const { listSessions } = await import('#app/sessions/list')
    const { listEndedSessions } = await import('#app/sessions/list_ended')
    const { endedSessionsTable, sessionsTable } = await import('#app/terminal/sessions_table')
    const client = db.connection()
    const { columns } = process.stdout
    if (this.ended) {
      const ended = await listEndedSessions(client, filters, { limit })
      return { length: ended.length, lines: endedSessionsTable(ended, columns) }
    }
    const live = await listSessions(client, filters, { order: 'newest', limit })
    return { length: live.length, lines: sessionsTable(live, columns) }
  }

  /**
   * Reads a page of what is listed, behind the session of a number.
   */
  async #reader(filters: SessionFilters) {
    const { default: db } = await import('@adonisjs/lucid/services/db')
    const { describeListedSession, listSessions } = await import('#app/sessions/list')
    const { describeListedEndedSession, listEndedSessions } =
      await import('#app/sessions/list_ended')
    const client = db.connection()
    const { ended } = this
    return async (after?: number) => {
      const options = { order: 'newest', limit: PAGE, after } as const
      if (ended) {
        const page = await listEndedSessions(client, filters, options)
        return page.map((one) => ({ seq: one.seq, told: describeListedEndedSession(one) }))
      }
      const page = await listSessions(client, filters, options)
      return page.map((one) => ({ seq: one.seq, told: describeListedSession(one) }))
    }
  }

  /**
   * One object, written as it is read: there may be millions. One that fails half-way is finished
   * with the failure.
   */
  async #writeJson(filters: SessionFilters) {
    const read = await this.#reader(filters)
    let page = await read()
    let total = 0
    await write('{"sessions":[')
    for (;;) {
      const described = page.map(({ told }) => escapeJson(told))
      if (page.length > 0) await write((total > 0 ? ',\n' : '\n') + described.join(',\n'))
      total += page.length
      if (page.length < PAGE) break
      try {
        page = await read(page.at(-1)?.seq)
      } catch (error) {
        await write(`\n],"error":${failureJson(error)}}\n`)
        this.json = false
        throw error
      }
    }
    await write(`\n],"total":${total}}\n`)
  }
}

async function write(text: string) {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
