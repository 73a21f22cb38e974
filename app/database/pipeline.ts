import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { rows, type Statement } from '#app/database/sql'

export type { Statement } from '#app/database/sql'

/**
 * Runs statements of a transaction in this order, without waiting for the answer to one before the
 * next is sent (https://node-postgres.com/features/pipelining; SQLite runs one behind the other).
 * Returns the rows of each. Throws what the first that fails throws; then the transaction can only
 * be rolled back.
 *
 * It takes a transaction because only that is one connection: outside of one the statements would
 * go to different connections and run in any order.
 */
export async function pipeline(
  trx: TransactionClientContract,
  statements: Statement[]
): Promise<unknown[][]> {
  if (!trx.isTransaction) throw new Error('Statements can only be pipelined in a transaction.')
  return Promise.all(statements.map(({ sql, bindings }) => rows(trx, sql, bindings)))
}
