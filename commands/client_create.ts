import { args, flags } from '@adonisjs/core/ace'
import type { ClientAbility } from '#app/service_clients/service_client'
import { escapeText } from '#app/terminal/escape'
import { UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'

/**
 * Makes a service client.
 */
export default class ClientCreate extends OperatorCommand {
  static commandName = 'client:create'
  static description = 'Make a service client: id and secret for another backend'
  static help = [
    'Prints the secret this once: it is stored nowhere. Abilities: introspect (ask about tokens),',
    'revoke (revoke tokens), feed (read the feed of revocations), sign_in (open sessions of users whom',
    'its own login knows), manage (the admin routes, but for admins, passwords, roles and clients).',
    '',
    'Examples:',
    '  {{ binaryName }} client:create orders --abilities=introspect',
    '  {{ binaryName }} client:create gateway --abilities=introspect,revoke,feed --json',
    '  {{ binaryName }} client:create login --abilities=sign_in',
  ]

  @args.string({ description: 'Name of the service, for lists and the log' })
  declare name: string

  @flags.string({ description: 'Comma-separated: introspect, revoke, feed, sign_in, manage' })
  declare abilities: string

  protected async perform() {
    const { createClient } = await import('#app/service_clients/service_client')
    const abilities = await this.#readAbilities()
    const name = this.name.trim()
    if (name === '' || name.length > 100 || name.includes('\0')) {
      throw new UsageFailure('The name must have 1 to 100 characters. Nothing was changed.')
    }

    const actor = `command:${this.commandName}` as const
    const { client, secret } = await createClient({ name, abilities }, actor)
    this.printJson({ id: client.id, secret, name, abilities })
    this.say(`Created the service client ${escapeText(name)} (${abilities.join(', ')}).`)
    this.say(`  id      ${client.id}`)
    this.say(`  secret  ${secret}`)
    this.say('Keep the secret now: it is not shown again.')
  }

  async #readAbilities(): Promise<ClientAbility[]> {
    const { CLIENT_ABILITIES } = await import('#app/service_clients/service_client')
    const words = (this.abilities ?? '').split(',').map((word) => word.trim())
    const known: readonly string[] = CLIENT_ABILITIES
    const unknown = words.find((word) => !known.includes(word))
    if (unknown === undefined) return CLIENT_ABILITIES.filter((word) => words.includes(word))
    const allowed = `Say --abilities= with one or more of ${known.join(', ')}.`
    const fault = unknown === '' ? '' : `There is no ability ${escapeText(unknown)}. `
    throw new UsageFailure(`${fault}${allowed} Nothing was changed.`)
  }
}
