import type { IncomingMessage } from 'node:http'
import { authenticateClient } from '#app/service_clients/authenticate_client'
import { readBasic } from '#app/service_clients/credentials'
import type { ClientAbility, ServiceClient } from '#app/service_clients/service_client'
import { E_FORBIDDEN, E_INVALID_REQUEST, E_UNAUTHORIZED_CLIENT } from '#exceptions/errors'

/**
 * The service client that makes a request, by HTTP Basic. Throws `E_INVALID_REQUEST`,
 * `E_UNAUTHORIZED_ACCESS`, and `E_FORBIDDEN` when it lacks the ability.
 */
export async function requireClient(
  message: IncomingMessage,
  ability: ClientAbility
): Promise<ServiceClient> {
  const presented = readBasic(message)
  if (presented.type === 'several') {
    throw new E_INVALID_REQUEST('There is more than one Authorization header.')
  }
  if (presented.type !== 'pair') throw new E_UNAUTHORIZED_CLIENT()
  const client = await authenticateClient(presented.credentials)
  if (!client) throw new E_UNAUTHORIZED_CLIENT()
  if (!client.abilities.includes(ability)) {
    const lacks = `This service client lacks the ability ${ability}.`
    throw new E_FORBIDDEN({ message: lacks, challenge: false })
  }
  return client
}
