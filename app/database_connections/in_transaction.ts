import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'

type Step = () => Promise<void>

const lastSteps = new WeakMap<TransactionClientContract, Step[]>()

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
  sayWhenCommitFails(trx)
  const steps: Step[] = []
  lastSteps.set(trx, steps)
  try {
    const result = await work(trx)
    for (const step of steps) await step()
    await trx.commit()
    return result
  } catch (error) {
    await trx.rollback()
    throw error
  }
}

/**
 * Has `step` run as the last thing of a transaction of `inTransaction`, right before it commits.
 * When it throws, nothing has changed.
 */
export function beforeCommit(trx: TransactionClientContract, step: Step): void {
  const steps = lastSteps.get(trx)
  if (!steps) throw new Error('This transaction was not begun by inTransaction.')
  steps.push(step)
}

type RawConnection = { __knex__disposed?: unknown }

/**
 * knex says by `executionPromise` alone whether a transaction has committed. A connection whose
 * COMMIT has failed may still be within the transaction, so the pool must not give it to others.
 */
function sayWhenCommitFails({ knexClient }: TransactionClientContract) {
  const commit = knexClient.commit as () => Promise<unknown>
  const committing = async () => {
    await commit()
    return knexClient.executionPromise
  }
  knexClient.commit = committing as unknown as typeof knexClient.commit

  const { client } = knexClient
  const query = client.query
  client.query = async (connection: RawConnection, statement: unknown) => {
    try {
      return await query(connection, statement)
    } catch (error) {
      if (statement === 'COMMIT;') connection.__knex__disposed = error
      throw error
    }
  }
}
