import { timingSafeEqual } from 'node:crypto'
import type { ClientCredentials } from '#app/service_clients/credentials'
import {
  toServiceClient,
  type ServiceClient,
  type ServiceClientRow,
} from '#app/service_clients/service_client'
import { BatchLoader } from '#app/database/batch_loader'
import { LookupStatement } from '#app/database/lookup_statement'
import { hashToken } from '#app/tokens/token'

const statement = new LookupStatement<ServiceClientRow>('latchkey_clients', {
  columns: {
    id: 'c.id',
    secret_hash: 'c.secret_hash',
    name: 'c.name',
    abilities: 'c.abilities',
    created_at: 'c.created_at',
    revoked_at: 'c.revoked_at',
  },
  from: 'service_clients c',
  key: 'c.id',
})

async function readClients(ids: string[]): Promise<Map<string, ServiceClientRow>> {
  const found = await statement.read(ids)
  return new Map(found.map((row) => [row.id, row]))
}

const clientLookup = new BatchLoader(readClients)

/**
 * What ids look like: anything else is not worth a look at the database.
 */
const ID = /^[0-9a-f-]{36}$/

/**
 * The service client behind an id and its secret, if it is not revoked; null otherwise, in the same
 * way whichever of it is wrong. Asked of the database for every request. Throws when that can't be
 * asked.
 */
export async function authenticateClient({
  id,
  secret,
}: ClientCredentials): Promise<ServiceClient | null> {
  if (!ID.test(id)) return null
  const row = await clientLookup.read(id)
  const presented = Buffer.from(hashToken(secret))
  const known = Buffer.from(row?.secret_hash ?? hashToken(''))
  const matches = presented.length === known.length && timingSafeEqual(presented, known)
  return row && matches && row.revoked_at === null ? toServiceClient(row) : null
}

/**
 * Whether the service client with this id may still speak. Asked of the database.
 */
export async function clientLives(id: string): Promise<boolean> {
  const row = await clientLookup.read(id)
  return row !== undefined && row.revoked_at === null
}
