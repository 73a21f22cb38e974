import {
  CLIENT_ABILITIES,
  type ClientAbility,
  createClient,
} from '#app/service_clients/service_client'

/**
 * A service client with the header by which it says who it is.
 */
export async function makeClient(abilities: readonly ClientAbility[] = CLIENT_ABILITIES) {
  const { client, secret } = await createClient(
    { name: 'tests', abilities: [...abilities] },
    'system'
  )
  return { id: client.id, secret, basic: basicHeader(client.id, secret) }
}

/**
 * HTTP Basic, RFC 7617.
 */
export function basicHeader(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}
