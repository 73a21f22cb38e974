import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * How many may wait for a connection of one pool. Whoever comes after so many would wait longer
 * than clients do.
 */
const MAX_PENDING_ACQUIRES = 500

type KnexClient = {
  pool?: { numPendingAcquires(): number }
  acquireConnection(): Promise<unknown>
}

/**
 * Refuses to wait for a connection, with `E_UNAVAILABLE`, while so many others wait: the pool by
 * itself lets everybody in until memory ends.
 *
 * Internal of knex: whatever it runs gets its connection by `acquireConnection` of its client,
 * whose `pool` counts those who wait. `acquiredConnections` (#app/database/internals) checks that.
 */
export function limitAcquireQueue(client: KnexClient, most = MAX_PENDING_ACQUIRES): void {
  const acquire = client.acquireConnection.bind(client)
  client.acquireConnection = async () => {
    if ((client.pool?.numPendingAcquires() ?? 0) >= most) throw new E_UNAVAILABLE()
    return acquire()
  }
}
