import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * How many may wait for a connection of one pool. Whoever comes after so many would wait longer
 * than clients do.
 */
const MOST_WAITING = 500

type KnexClient = {
  pool?: { numPendingAcquires(): number }
  acquireConnection(): Promise<unknown>
}

/**
 * Refuses to wait for a connection, with `E_UNAVAILABLE`, while so many others wait: the pool by
 * itself lets everybody in until memory ends.
 */
export function limitAcquireQueue(client: KnexClient, most = MOST_WAITING): void {
  const acquire = client.acquireConnection.bind(client)
  client.acquireConnection = async () => {
    if ((client.pool?.numPendingAcquires() ?? 0) >= most) throw new E_UNAVAILABLE()
    return acquire()
  }
}
