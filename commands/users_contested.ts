import { flags } from '@adonisjs/core/ace'
import { UnknownUser } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'
import { renderTable } from '#app/terminal/table'

const COLUMNS = [
  { heading: 'ID', least: 4 },
  { heading: 'USER', least: 12 },
  { heading: 'TIMES', least: 5 },
  { heading: 'SINCE', least: 20 },
  { heading: 'DEVICES', least: 12 },
]

/**
 * More accounts than anyone reads at once.
 */
const LISTED = 1_000

/**
 * Lists the accounts that several devices fight over, or clears one.
 */
export default class UsersContested extends OperatorCommand {
  static commandName = 'users:contested'
  static description = 'List the accounts that several devices sign in to in turn'
  static help = [
    'What counts is set by SESSION_CONTEST. Examples:',
    '  {{ binaryName }} users:contested',
    '  {{ binaryName }} users:contested --clear=ada@example.com',
  ]

  @flags.string({ description: 'E-mail or id of a user who may sign in again at once' })
  declare clear: string

  protected async perform() {
    if (this.clear !== undefined) return this.clearOne()
    const { listContested } = await import('#app/accounts/contested')
    const { default: Transformer } = await import('#transformers/contested_account_transformer')
    const { accounts, meta } = await listContested({ page: 1, perPage: LISTED })
    const shown = accounts.map((account) => new Transformer(account).toObject())
    this.printJson({ accounts: shown, total: meta.total })
    if (accounts.length === 0) return this.say('No account is contested.')
    const lines = shown.map(({ user, count, since, devices }) => [
      String(user.id),
      user.email ?? '',
      String(count),
      since,
      devices.map(({ name, platform }) => name ?? platform ?? 'unnamed device').join(', '),
    ])
    for (const line of renderTable(COLUMNS, lines, process.stdout.columns)) this.say(line)
  }

  private async clearOne() {
    const { findUser } = await import('#app/accounts/find_users')
    const { clearContested } = await import('#app/accounts/contested')
    const user = await findUser(this.clear)
    if (!user) throw new UnknownUser(this.clear)
    const wasContested = await clearContested(user.id, `command:${this.commandName}`)
    this.printJson({ user: { id: user.id, email: user.email }, cleared: wasContested })
    this.say(
      wasContested
        ? 'Cleared: this account is not contested any more.'
        : 'This account is not contested.'
    )
  }
}
