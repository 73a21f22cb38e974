import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * How many may wait for a connection of one pool. Whoever comes after so many would wait longer
 * than clients do.
 */
const MAX_PENDING_ACQUIRES = 500

type KnexClient = {
  pool?: { numPendingAcquires(): number }
  logger?: { warn(message: string): void }
  acquireConnection(): Promise<unknown>
}

/**
 * Refuses to wait for a connection, with `E_UNAVAILABLE`, while so many others wait: the pool by
 * itself lets everybody in until memory ends. Whoever gets no connection for any other reason (the
 * server is out of reach, refuses us, speaks no TLS) is told the same, with that as its cause.
 * `assertUsable` throws when none must be given.
 *
 * Internal of knex: whatever it runs gets its connection by `acquireConnection` of its client,
 * whose `pool` counts those who wait. `acquiredConnections` (#app/database/internals) checks that.
 */
export function limitAcquireQueue(
  client: KnexClient,
  { most = MAX_PENDING_ACQUIRES, assertUsable = () => {} } = {}
): void {
  /** knex would tell, with a stack, what the one who wanted the connection tells as well. */
  if (client.logger) client.logger.warn = () => {}
  const acquire = client.acquireConnection.bind(client)
  client.acquireConnection = async () => {
    if ((client.pool?.numPendingAcquires() ?? 0) >= most) throw new E_UNAVAILABLE()
    try {
      assertUsable()
      return await acquire()
    } catch (cause) {
      throw new E_UNAVAILABLE({ cause })
    }
  }
}
