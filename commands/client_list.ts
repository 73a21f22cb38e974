import { OperatorCommand } from '#app/terminal/operator_command'
import { renderTable } from '#app/terminal/table'

const COLUMNS = [
  { heading: 'ID', least: 36 },
  { heading: 'NAME', least: 8 },
  { heading: 'ABILITIES', least: 10 },
  { heading: 'CREATED', least: 20 },
  { heading: 'REVOKED', least: 7 },
]

/**
 * Lists the service clients.
 */
export default class ClientList extends OperatorCommand {
  static commandName = 'client:list'
  static description = 'List the service clients, with those that are revoked'
  static help = [
    'Examples:',
    '  {{ binaryName }} client:list',
    '  {{ binaryName }} client:list --json',
  ]

  protected async perform() {
    const { listClients } = await import('#app/service_clients/service_client')
    const clients = await listClients()
    this.printJson({ clients })
    if (clients.length === 0) return this.say('There are no service clients.')
    const lines = clients.map(({ id, name, abilities, createdAt, revokedAt }) => [
      id,
      name,
      abilities.join(', '),
      createdAt.toISOString(),
      revokedAt?.toISOString() ?? '',
    ])
    for (const line of renderTable(COLUMNS, lines, process.stdout.columns)) this.say(line)
  }
}
