import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { commitWith, type Connection, type Statement } from '#app/database/pipeline'

const lastStatements = new WeakMap<TransactionClientContract, (() => Statement[])[]>()

/**
 * Runs `work` in a transaction. What it gives is given once the transaction has committed; when it
 * throws, or the database can't commit, nothing has changed and the error is thrown.
 *
 * Every transaction goes through here and none through `db.transaction`: that one resolves also
 * when its COMMIT has failed, so a full disk or a cut connection would turn into an answer that
 * says "done".
 */
export async function inTransaction<Result>(
  work: (trx: TransactionClientContract) => Promise<Result>
): Promise<Result> {
  const trx = await db.transaction()
  /** Its BEGIN has failed: this throws why. */
  if (trx.isCompleted) await trx.knexClient.executionPromise
  lastStatements.set(trx, [])
  commitInOneGo(trx)
  try {
    const result = await work(trx)
    await trx.commit()
    for (const callback of afterCommits.get(trx) ?? []) callback()
    return result
  } catch (error) {
    await trx.rollback()
    throw error
  }
}

/**
 * Has the database run what `statements` gives at the end of a transaction of `inTransaction`,
 * together with its COMMIT: whoever needs no answer to them saves the time of one. When one fails,
 * nothing has changed.
 */
export function lastly(trx: TransactionClientContract, statements: () => Statement[]): void {
  const last = lastStatements.get(trx)
  if (!last) throw new Error('This transaction was not begun by inTransaction.')
  last.push(statements)
}

const afterCommits = new WeakMap<TransactionClientContract, (() => void)[]>()

/**
 * Calls back once a transaction of `inTransaction` has committed, and never when it has not.
 */
export function afterCommit(trx: TransactionClientContract, callback: () => void): void {
  const callbacks = afterCommits.get(trx)
  if (callbacks) callbacks.push(callback)
  else afterCommits.set(trx, [callback])
}

/**
 * knex says by `executionPromise` alone whether a transaction has committed. A connection whose
 * COMMIT has failed may still be within the transaction, so the pool must not give it to others.
 */
function commitInOneGo(trx: TransactionClientContract) {
  const { knexClient } = trx
  const commit = knexClient.commit as () => Promise<unknown>
  const committing = async () => {
    await commit()
    return knexClient.executionPromise
  }
  knexClient.commit = committing as unknown as typeof knexClient.commit

  const { client } = knexClient
  const query = client.query
  client.query = async (connection: Connection, statement: unknown) => {
    if (statement !== 'COMMIT;') return query(connection, statement)
    try {
      const last = lastStatements.get(trx)!.flatMap((statements) => statements())
      return await commitWith(connection, last)
    } catch (error) {
      connection.__knex__disposed = error
      throw error
    }
  }
}
