import { args } from '@adonisjs/core/ace'
import { OperatorCommand } from '#app/terminal/operator_command'
import { count } from '#app/terminal/progress_bar'
import { renderTable } from '#app/terminal/table'

const COLUMNS = [
  { heading: 'ID', least: 4 },
  { heading: 'E-MAIL', least: 12 },
  { heading: 'NAME', least: 8 },
  { heading: 'EXTERNAL ID', least: 8 },
  { heading: 'ROLE', least: 5 },
  { heading: 'SESSIONS', least: 8 },
  { heading: 'DISABLED', least: 8 },
]

/**
 * More users than anyone reads at once.
 */
const LISTED = 1_000

/**
 * Finds users.
 */
export default class UserList extends OperatorCommand {
  static commandName = 'user:list'
  static description = 'List users, or find them by a part of the e-mail, name or external id'
  static help = [
    `The first ${LISTED}, by id. Examples:`,
    '  {{ binaryName }} user:list',
    '  {{ binaryName }} user:list lovelace --json',
  ]

  @args.string({
    description: 'A part of the e-mail, the name or the external id',
    required: false,
  })
  declare search: string

  protected async perform() {
    const { listUsers } = await import('#app/accounts/find_users')
    const { default: Transformer } = await import('#transformers/admin_user_transformer')
    const { users, meta } = await listUsers(this.search, { page: 1, perPage: LISTED })
    const shown = users.map((user) => new Transformer(user).toObject())
    this.printJson({ users: shown, total: meta.total })
    if (shown.length === 0) return this.say('There are no such users.')
    const lines = shown.map((user) => [
      String(user.id),
      user.email ?? '-',
      user.fullName ?? '-',
      user.externalId ?? '-',
      user.role,
      String(user.liveSessions),
      user.disabledAt ?? '-',
    ])
    for (const line of renderTable(COLUMNS, lines, process.stdout.columns)) this.say(line)
    const left = meta.total - shown.length
    if (left > 0) this.say(`… and ${count(left)} more: give a part of what you look for`)
  }
}
