import { randomBytes, randomUUID } from 'node:crypto'
import { inTransaction } from '#app/database/transaction'
import clock from '#app/clock'
import {
  toServiceClient,
  type ClientAbility,
  type ServiceClient,
} from '#app/service_clients/service_client'
import { hashToken } from '#app/tokens/token'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'

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
