import type { TransactionClientContract } from '@adonisjs/lucid/types/database'

/**
 * The channel on which PostgreSQL tells every node that the log has grown.
 */
export const LOG_CHANNEL = 'latchkey_log'

const listeners = new Set<() => void>()

/**
 * Has those who follow the log in this process look at it as soon as the transaction commits. Other
 * nodes hear of it by `LOG_CHANNEL`.
 */
export function signalCommit(trx: TransactionClientContract): void {
  trx.after('commit', () => {
    for (const listener of listeners) listener()
  })
}

/**
 * Calls `listener` after every commit of this process that has written to the log. Returns what
 * ends that.
 */
export function onCommit(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
