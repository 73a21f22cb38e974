import db from '@adonisjs/lucid/services/db'
import {
  toServiceClient,
  type ServiceClient,
  type ServiceClientRow,
} from '#app/service_clients/service_client'

/**
 * All service clients, oldest first, with those that are revoked.
 */
export async function listClients(): Promise<ServiceClient[]> {
  const found: ServiceClientRow[] = await db
    .from('service_clients')
    .orderBy('created_at')
    .orderBy('id')
  return found.map(toServiceClient)
}
