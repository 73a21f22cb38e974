import { args } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { UnknownUser, UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'
import { amount } from '#app/terminal/progress_bar'

/**
 * Sets how many sessions a user may hold.
 */
export default class UserLimit extends OperatorCommand {
  static commandName = 'user:limit'
  static description = 'Set the session limit of a user'
  static help = [
    'A lowered limit takes effect at the next sign-in; sessions:trim applies it now:',
    '  {{ binaryName }} user:limit ada@example.com 3',
    '  {{ binaryName }} user:limit ada@example.com 0          (no limit)',
    '  {{ binaryName }} user:limit ada@example.com default    (that of the role or configuration)',
  ]

  @args.string({ description: 'E-mail, id or external:ID of the user' })
  declare user: string

  @args.string({ description: 'How many sessions, 0 for no limit, or default' })
  declare limit: string

  protected async perform() {
    const { findUser } = await import('#app/accounts/find_users')
    const { HIGHEST_LIMIT, setSessionLimit } = await import('#app/accounts/roles_and_limits')
    const limit = this.limit === 'default' ? null : wholeNumber(this.limit, HIGHEST_LIMIT)

    const found = await findUser(this.user)
    const user = found && (await setSessionLimit(found.id, limit, `command:${this.commandName}`))
    if (!user) throw new UnknownUser(this.user)

    this.printJson({ user: { id: user.id, email: user.email, sessionLimit: user.sessionLimit } })
    this.say(`${escapeText(user.reference)}: ${inWords(user.sessionLimit)}`)
  }
}

function wholeNumber(text: string, highest: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (number <= highest) return number
  throw new UsageFailure(
    `The limit is a whole number from 0 (no limit) to ${highest}, or default. Nothing was changed.`
  )
}

function inWords(limit: number | null): string {
  if (limit === null) return 'the limit of the role or the configuration.'
  return limit === 0 ? 'no session limit.' : `at most ${amount(limit, 'session')}.`
}
