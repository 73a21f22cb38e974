import db from '@adonisjs/lucid/services/db'
import { randomBytes, randomUUID } from 'node:crypto'
import clock from '#app/clock'
import { inTransaction } from '#app/database/transaction'
import { clientActor, type Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import type { Page } from '#app/event_log/list'
import { endSupportSessionsBy } from '#app/sessions/support'
import { hashToken } from '#app/tokens/token'
import { toDate, type StoredInstant } from '#models/instant'

/**
 * What a service client may do: ask about tokens, revoke them, read the feed of revocations, sign users
 * in (a trusted backend), manage users and their sessions.
 */
export const CLIENT_ABILITIES = ['introspect', 'revoke', 'feed', 'sign_in', 'manage'] as const

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

/**
 * Makes a service client. Its secret has 256 bits of randomness, is given out here and stored
 * nowhere.
 */
export async function createClient(
  { name, abilities }: { name: string; abilities: ClientAbility[] },
  actor: Actor
): Promise<{ client: ServiceClient; secret: string }> {
  const secret = `osc_${randomBytes(32).toString('base64url')}`
  const row = {
    id: randomUUID(),
    secret_hash: hashToken(secret),
    name,
    abilities: abilities.join(' '),
    created_at: clock.now(),
    revoked_at: null,
  }
  await inTransaction(async (trx) => {
    await trx.table('service_clients').insert(row)
    const data = { id: row.id, name, abilities }
    await appendEvents(trx, [{ type: 'client.created', userId: null, actor, data }])
  })
  return { client: toServiceClient(row), secret }
}

/**
 * Takes a service client's access away; its next request is refused. One that is revoked already
 * stays as it is. Returns null when there is no such client.
 */
export async function revokeClient(id: string, actor: Actor): Promise<ServiceClient | null> {
  return inTransaction(async (trx) => {
    const revoked = await trx
      .from('service_clients')
      .where('id', id)
      .whereNull('revoked_at')
      .update({ revoked_at: clock.now() })
    const row: ServiceClientRow | null = await trx.from('service_clients').where('id', id).first()
    if (!row) return null
    endSupportSessionsBy(trx, clientActor(id))
    if (Number(revoked) > 0) {
      const data = { id, name: row.name }
      await appendEvents(trx, [{ type: 'client.revoked', userId: null, actor, data }])
    }
    return toServiceClient(row)
  })
}

/**
 * All service clients, oldest first, with those that are revoked.
 */
export async function listClients(): Promise<ServiceClient[]> {
  const found: ServiceClientRow[] = await allClients()
  return found.map(toServiceClient)
}

/**
 * One page of the same, with the paginator's numbers.
 */
export async function pageOfClients({ page, perPage }: Page) {
  const paginator = await allClients().paginate(page, perPage)
  return { clients: paginator.all().map(toServiceClient), meta: paginator.getMeta() }
}

const allClients = () => db.from('service_clients').orderBy('created_at').orderBy('id')
