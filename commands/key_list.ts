import { args } from '@adonisjs/core/ace'
import { UnknownUser } from '#app/terminal/failures'
import { keysTable } from '#app/terminal/keys_table'
import { OperatorCommand } from '#app/terminal/operator_command'
import { count } from '#app/terminal/progress_bar'

/**
 * More keys than anyone reads at once.
 */
const LISTED = 1_000

/**
 * Lists API keys.
 */
export default class KeyList extends OperatorCommand {
  static commandName = 'key:list'
  static description = 'List API keys, of everyone or of one user'
  static help = [
    `The newest ${LISTED}; never their values, which nobody has but their owner. Examples:`,
    '  {{ binaryName }} key:list',
    '  {{ binaryName }} key:list ada@example.com --json',
  ]

  @args.string({ description: 'E-mail, id or external:ID of the user', required: false })
  declare user: string

  protected async perform() {
    const { findUser } = await import('#app/accounts/find_users')
    const { listKeysWithUsers } = await import('#app/accounts/user_api_keys')
    const user = this.user === undefined ? null : await findUser(this.user)
    if (this.user !== undefined && !user) throw new UnknownUser(this.user, { reading: true })
    const { keys, meta } = await listKeysWithUsers(user, { page: 1, perPage: LISTED })
    this.printJson({
      apiKeys: keys.map(({ owner, ...key }) => ({ ...key, user: owner })),
      total: meta.total,
    })
    if (keys.length === 0) return this.say('There are no such API keys.')
    const { referenceOf } = await import('#models/user')
    const rows = keys.map((key) => ({ ...key, user: referenceOf(key.owner) }))
    for (const line of keysTable(rows, process.stdout.columns)) this.say(line)
    const left = meta.total - keys.length
    if (left > 0) this.say(`… and ${count(left)} more: name a user`)
  }
}
