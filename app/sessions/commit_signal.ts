import type { TransactionClientContract } from '@adonisjs/lucid/types/database'

/**
 * The channel on which PostgreSQL tells every node that the log has grown.
 */
export const LOG_CHANNEL = 'latchkey_log'

const announced = new WeakSet<TransactionClientContract>()
const listeners = new Set<() => void>()

/**
 * Has those who follow the log look at it as soon as the transaction commits: in this process by a
 * call, on other nodes by PostgreSQL's `NOTIFY`, which goes out with the commit or not at all. Once
 * a transaction is enough.
 */
export async function announceCommit(trx: TransactionClientContract): Promise<void> {
  if (announced.has(trx)) return
  announced.add(trx)
  trx.after('commit', () => {
    for (const listener of listeners) listener()
  })
  if (trx.dialect.name === 'postgres') await trx.rawQuery(`NOTIFY ${LOG_CHANNEL}`)
}

/**
 * Calls `listener` after every commit of this process that has written to the log. Returns what
 * ends that.
 */
export function onCommit(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
