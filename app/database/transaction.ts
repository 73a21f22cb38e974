import { TRANSACTION_SETTINGS } from '#app/database/postgres'
import { rows } from '#app/database/sql'
import env, { usesPostgres } from '#start/env'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'

type Callback = () => void | Promise<void>

/**
 * Behind a pooler of transactions no connection keeps settings.
 */
const pooled = usesPostgres && env.get('DATABASE_POOLER') === 'transaction'

const waiting = new WeakMap<TransactionClientContract, Callback[]>()

/**
 * Runs `work` in a transaction. What it returns is returned once the transaction has committed; when
 * it throws, or the database can't commit, nothing has changed and the error is thrown.
 *
 * Every transaction goes through here and none through `db.transaction`: that one resolves also
 * when its COMMIT has failed, so a full disk or a cut connection would turn into an answer that
 * says "done". knex reports whether a transaction has committed by `executionPromise` alone.
 *
 * A transaction in which a statement has failed never commits, also if `work` caught the error:
 * PostgreSQL has then undone all of it, and would answer COMMIT without an error.
 */
export async function inTransaction<Result>(
  work: (trx: TransactionClientContract) => Promise<Result>
): Promise<Result> {
  const trx = await db.transaction()
  const { knexClient } = trx
  /** Its BEGIN has failed: this throws why. */
  if (trx.isCompleted) await knexClient.executionPromise

  const callbacks: Callback[] = []
  waiting.set(trx, callbacks)
  let failure: unknown
  knexClient.on('query-error', (error) => (failure ??= error))
  let result: Result
  try {
    /** Sent ahead of the first statement, without waiting: `failure` says when it has failed. */
    if (pooled) rows(trx, TRANSACTION_SETTINGS).catch(() => {})
    result = await work(trx)
    if (failure) throw failure
    await trx.commit()
    await knexClient.executionPromise
  } catch (error) {
    await trx.rollback()
    throw error
  }
  for (const callback of callbacks) await callback()
  return result
}

/**
 * Calls back once a transaction of `inTransaction` has committed, and never when its COMMIT failed:
 * `trx.after('commit')` is called then too. `inTransaction` returns when the callback has finished,
 * and throws what it throws.
 */
export function afterCommit(trx: TransactionClientContract, callback: Callback): void {
  const callbacks = waiting.get(trx)
  if (!callbacks) throw new Error('This transaction was not begun by inTransaction.')
  callbacks.push(callback)
}
