import { args } from '@adonisjs/core/ace'
import { inOneLine } from '#app/terminal/event_command'
import { escapeText } from '#app/terminal/escape'
import { UnknownUser } from '#app/terminal/failures'
import { keysTable } from '#app/terminal/keys_table'
import { OperatorCommand } from '#app/terminal/operator_command'
import { count } from '#app/terminal/progress_bar'

/**
 * How many sessions, and how many entries of the log.
 */
const SHOWN = { sessions: 100, events: 20 }

/**
 * Shows one user.
 */
export default class UserShow extends OperatorCommand {
  static commandName = 'user:show'
  static description = 'Show the state, the sessions, the API keys and the latest log of a user'
  static help = ['Example:', '  {{ binaryName }} user:show ada@example.com']

  @args.string({ description: 'E-mail, id or external:ID of the user' })
  declare user: string

  protected async perform() {
    const { default: db } = await import('@adonisjs/lucid/services/db')
    const { findUser, toListed } = await import('#app/accounts/find_users')
    const { listApiKeys } = await import('#app/api_keys/api_key')
    const { listEvents } = await import('#app/event_log/list')
    const { sessionLimitOf } = await import('#app/sessions/policy')
    const { describeListedSession, listSessions } = await import('#app/sessions/list')
    const { sessionsTable } = await import('#app/terminal/sessions_table')
    const { default: Transformer } = await import('#transformers/admin_user_transformer')

    const user = await findUser(this.user)
    if (!user) throw new UnknownUser(this.user, { reading: true })
    const [listed] = await toListed([user])
    const shown = new Transformer(listed).toObject()
    const limit = sessionLimitOf(user)
    const filters = { userIds: [user.id] }
    const options = { order: 'newest', limit: SHOWN.sessions } as const
    const sessions = await listSessions(db.connection(), filters, options)
    const keys = await listApiKeys(user)
    const page = { page: 1, perPage: SHOWN.events }
    const { events } = await listEvents({ userId: user.id }, page)

    this.printJson({
      user: shown,
      limit,
      sessions: sessions.map((session) => describeListedSession(session)),
      apiKeys: keys,
      events,
    })
    const width = process.stdout.columns
    const name = user.fullName === null ? '' : ` (${escapeText(user.fullName)})`
    this.say(`${escapeText(user.reference)}${name}: user ${user.id}, role ${user.role}`)
    this.say(
      user.disabledAt === null ? 'May sign in.' : `Disabled since ${user.disabledAt.toISO()}.`
    )
    this.say(limit === null ? 'No session limit.' : `Session limit: ${limit}.`)
    this.say(`\nLive sessions: ${count(listed.liveSessions)}`)
    if (sessions.length > 0) for (const line of sessionsTable(sessions, width)) this.say(line)
    this.say(`\nAPI keys: ${count(keys.length)}`)
    if (keys.length > 0) for (const line of keysTable(keys, width)) this.say(line)
    this.say('\nLatest entries of the log:')
    for (const event of events) this.say(inOneLine(event))
  }
}
