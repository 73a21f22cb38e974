import { inTransaction } from '#app/database/transaction'
import clock from '#app/clock'
import {
  toServiceClient,
  type ServiceClient,
  type ServiceClientRow,
} from '#app/service_clients/service_client'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'

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
    if (Number(revoked) > 0) {
      const data = { id, name: row.name }
      await appendEvents(trx, [{ type: 'client.revoked', userId: null, actor, data }])
    }
    return toServiceClient(row)
  })
}
