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
 * Lists live sessions, newest sign-in first.
 */
export default class SessionsList extends FilteredCommand {
  static commandName = 'sessions:list'
  static description = 'List live sessions, of everyone or of one user'
  static help = [
    'Takes the filters of force:logout: all of them must match. --json lists every session, the',
    'table as many as --limit says.',
    '',
    'Examples:',
    '  {{ binaryName }} sessions:list ada@example.com',
    '  {{ binaryName }} sessions:list --platform=ios --idle-for=30d --limit=20',
    '  {{ binaryName }} sessions:list --json',
  ]

  @args.string({ description: 'E-mail, id or external:ID of the user', required: false })
  declare user: string

  @flags.number({ description: 'Rows of the table; 0 for all', default: 100 })
  declare limit: number

  protected async perform() {
    if (!Number.isSafeInteger(this.limit) || this.limit < 0) {
      throw new UsageFailure('--limit must be a whole number, 0 or more')
    }
    const filters: SessionFilters = await this.readFilters()
    const users = this.user === undefined ? undefined : await this.readUsers([this.user])
    filters.userIds = users?.map((user) => user.id)
    return this.json ? this.#writeJson(filters) : this.#printTable(filters)
  }

  async #printTable(filters: SessionFilters) {
    const { default: db } = await import('@adonisjs/lucid/services/db')
    const { countSessions, listSessions } = await import('#app/sessions/list')
    const { sessionsTable } = await import('#app/terminal/sessions_table')
    const client = db.connection()
    const limit = this.limit === 0 ? undefined : this.limit
    const sessions = await listSessions(client, filters, { order: 'newest', limit })
    if (sessions.length === 0) return this.say('There are no such sessions.')

    for (const line of sessionsTable(sessions, process.stdout.columns)) this.say(line)
    const total = sessions.length === limit ? await countSessions(client, filters) : sessions.length
    if (total > sessions.length) {
      this.say(`… and ${count(total - sessions.length)} more (--limit=0 shows all)`)
    }
  }

  /**
   * One object, written as it is read: there may be millions. One that fails half-way is finished
   * with the failure.
   */
  async #writeJson(filters: SessionFilters) {
    const { default: db } = await import('@adonisjs/lucid/services/db')
    const { describeListedSession, listSessions } = await import('#app/sessions/list')
    const read = (after?: number) =>
      listSessions(db.connection(), filters, { order: 'newest', limit: PAGE, after })
    let page = await read()
    let total = 0
    await write('{"sessions":[')
    for (;;) {
      const described = page.map((session) => escapeJson(describeListedSession(session)))
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
