import { args } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'

/**
 * Takes a service client's access away.
 */
export default class ClientRevoke extends OperatorCommand {
  static commandName = 'client:revoke'
  static description = 'Take the access of a service client away, at once'
  static help = [
    'Example:',
    '  {{ binaryName }} client:revoke 0b9c6f0e-3b1d-4a6e-9a39-6f3f0e2d7c11',
  ]

  @args.string({ description: 'Id of the service client' })
  declare id: string

  protected async perform() {
    const { revokeClient } = await import('#app/service_clients/service_client')
    const client = await revokeClient(this.id, `command:${this.commandName}`)
    if (!client) {
      throw new UsageFailure(
        `There is no service client ${escapeText(this.id)}. Nothing was changed.`
      )
    }
    this.printJson({ id: client.id, name: client.name, revokedAt: client.revokedAt })
    this.say(`The service client ${escapeText(client.name)} is revoked.`)
  }
}
