import type { IncomingMessage } from 'node:http'
import { authenticateClient } from '#app/service_clients/authenticate_client'
import { readBasicOrForm } from '#app/service_clients/credentials'
import type { ClientAbility, ServiceClient } from '#app/service_clients/service_client'
import { invalidClient, invalidRequest, unauthorizedClient } from '#exceptions/oauth_error'

/**
 * A request about a token: which, and who asks. `token_type_hint` may be given and is not needed:
 * a token says of which kind it is, so a wrong hint changes nothing (RFC 7009 §2.1).
 */
export type OAuthRequest = { token: string; client: ServiceClient }

/**
 * Reads the form of `/oauth/*`: first who asks, then what for. Throws `OAuthError`.
 */
export async function readOAuthRequest(
  message: IncomingMessage,
  form: Readonly<Record<string, unknown>>,
  ability: ClientAbility
): Promise<OAuthRequest> {
  const repeated = Object.keys(form).find((name) => typeof form[name] !== 'string')
  if (repeated !== undefined) throw invalidRequest('Send every parameter once.')

  const presented = readBasicOrForm(message, form)
  if (presented.type === 'several') {
    throw invalidRequest('Say who you are once: by HTTP Basic or in the body.')
  }
  if (presented.type !== 'pair') throw invalidClient()
  const client = await authenticateClient(presented.credentials)
  if (!client) throw invalidClient()
  if (!client.abilities.includes(ability)) throw unauthorizedClient(ability)

  const { token } = form
  if (typeof token !== 'string' || token === '')
    throw invalidRequest('The parameter token is missing.')
  return { token, client }
}

/**
 * The id of the client that a request says it comes from, before anything is verified; empty when
 * it names none.
 */
export function claimedClient(
  message: IncomingMessage,
  form: Readonly<Record<string, unknown>>
): string {
  const presented = readBasicOrForm(message, form)
  return presented.type === 'pair' ? presented.credentials.id : ''
}
