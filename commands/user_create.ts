import { args, flags } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { CommandFailure, UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'

/**
 * Makes an account. The password is asked for, unseen, or read from standard input: never given
 * on the command line, where every process of the machine can read it.
 */
export default class UserCreate extends OperatorCommand {
  static commandName = 'user:create'
  static description = 'Create a user'
  static help = [
    'The password is asked for, or read from standard input:',
    '  {{ binaryName }} user:create ada@example.com --name="Ada Lovelace"',
    '  {{ binaryName }} user:create root@example.com --admin < password.txt',
  ]

  @args.string({ description: 'The e-mail address that the user signs in with' })
  declare email: string

  @flags.boolean({ description: 'Give the user the admin role' })
  declare admin: boolean

  @flags.string({ description: "The user's full name" })
  declare name: string

  protected async perform() {
    const { inTransaction } = await import('#app/database/transaction')
    const { createUser } = await import('#app/accounts/sign_up')
    const { refuseGuessable } = await import('#app/passwords/guessable')
    const { hashPassword } = await import('#app/passwords/passwords')
    const { newUserValidator } = await import('#validators/accounts')

    const given = { email: this.email, fullName: this.name, password: await this.#password() }
    const account = await newUserValidator.validate(given).catch(explain)
    await refuseGuessable(account.password, account.email).catch(explainGuessable)
    const password = await hashPassword(account.password)
    const role = this.admin ? 'admin' : 'user'
    const user = await inTransaction((trx) =>
      createUser(trx, { ...account, password, role }, `command:${this.commandName}`)
    ).catch(explainTaken)

    this.printJson({ user: { id: user.id, email: user.email, fullName: user.fullName, role } })
    this.say(
      `Created the ${role === 'admin' ? 'admin' : 'user'} ${escapeText(user.reference)} (id ${user.id}).`
    )
  }

  async #password(): Promise<string> {
    if (!process.stdin.isTTY) {
      const given = await readStandardInput()
      return given.replace(/\r?\n$/, '')
    }
    if (!this.canAsk) throw new UsageFailure('Give the password on standard input.')
    const password = await this.prompt.secure('Password', { name: 'password' })
    const again = await this.prompt.secure('The same again', { name: 'again' })
    if (password !== again) throw new CommandFailure('The two differ. Nothing was changed.')
    return password
  }
}

async function readStandardInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk
  return text
}

type Failures = { messages?: { message: string }[]; failures?: { message: string }[] }

function explain(error: Failures): never {
  if (!error.messages) throw error
  throw new UsageFailure(error.messages.map(({ message }) => escapeText(message)).join(' '))
}

function explainGuessable(error: Failures): never {
  if (!error.failures) throw error
  throw new UsageFailure(error.failures.map(({ message }) => message).join(' '))
}

function explainTaken(error: Failures): never {
  if (!error.failures) throw error
  throw new CommandFailure(error.failures.map(({ message }) => message).join(' '))
}
