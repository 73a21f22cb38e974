import { toDate, type StoredInstant } from '#models/instant'

/**
 * What a service client may do: ask about tokens, revoke them, read the feed of revocations.
 */
export const CLIENT_ABILITIES = ['introspect', 'revoke', 'feed'] as const

export type ClientAbility = (typeof CLIENT_ABILITIES)[number]

/**
 * Another backend that knows us by id and secret.
 */
export type ServiceClient = {
  id: string
  name: string
  abilities: ClientAbility[]
  createdAt: Date
  revokedAt: Date | null
}

export type ServiceClientRow = {
  id: string
  secret_hash: string
  name: string
  abilities: string
  created_at: StoredInstant
  revoked_at: StoredInstant | null
}

/**
 * A service client from its row. A word that is no ability grants nothing.
 */
export function toServiceClient(row: ServiceClientRow): ServiceClient {
  const words = row.abilities.split(' ')
  return {
    id: row.id,
    name: row.name,
    abilities: CLIENT_ABILITIES.filter((ability) => words.includes(ability)),
    createdAt: toDate(row.created_at),
    revokedAt: toDate(row.revoked_at),
  }
}
