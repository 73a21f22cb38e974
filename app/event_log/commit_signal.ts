import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { NewEvent } from '#app/event_log/append'

/**
 * The channel on which PostgreSQL tells every node that the log has grown.
 */
export const LOG_CHANNEL = 'latchkey_log'

/**
 * Hears what a transaction of this process has written to the log, once it has committed.
 */
export type CommitListener = (events: readonly NewEvent[]) => void

const listeners = new Set<CommitListener>()
const written = new WeakMap<TransactionClientContract, NewEvent[]>()

/**
 * Has the listeners of this process told of the events as soon as the transaction commits. Other
 * nodes hear of them by `LOG_CHANNEL`.
 */
export function tellAfterCommit(trx: TransactionClientContract, events: NewEvent[]): void {
  const earlier = written.get(trx)
  if (earlier) {
    earlier.push(...events)
    return
  }
  const all = [...events]
  written.set(trx, all)
  trx.after('commit', () => {
    for (const listener of listeners) listener(all)
  })
}

/**
 * Calls `listener` after every commit of this process that has written to the log. Returns what
 * ends that. What must not be lost in a crash reads the log instead (#app/event_log/tail).
 */
export function onCommit(listener: CommitListener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
