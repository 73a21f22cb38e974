import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { pipeline, type Statement } from '#app/database/pipeline'
import { inTransaction } from '#app/database/transaction'
import { toUser, SELECT_USERS, type UserRow } from '#models/user'
import type User from '#models/user'

/**
 * Runs `work` in a transaction that holds the user's row. Whatever opens or ends sessions of a
 * user, changes the password or disables the account goes through here, so these happen one after
 * another on every node, and count, evict and insert see the truth.
 *
 * On PostgreSQL the first statement locks the row. On SQLite the transaction has held the whole
 * database since it began (#app/database/sqlite).
 *
 * `user` is null when there is no such user any more. `also` are statements that are sent with the
 * first one and see what it sees; `work` gets the rows of each.
 */
export async function withUserLock<Result>(
  userId: number,
  work: (trx: TransactionClientContract, user: User | null, read: unknown[][]) => Promise<Result>,
  also: Statement[] = []
): Promise<Result> {
  return inTransaction(async (trx) => {
    const [locked, ...read] = await pipeline(trx, [lockUser(trx, userId), ...also])
    const [row] = locked as UserRow[]
    return work(trx, row ? toUser(row).useTransaction(trx) : null, read)
  })
}

const READ_USER = `${SELECT_USERS} WHERE id = ?`

/**
 * What takes the lock and reads the user.
 */
function lockUser(trx: TransactionClientContract, userId: number): Statement {
  return {
    sql: trx.dialect.name === 'postgres' ? `${READ_USER} FOR NO KEY UPDATE` : READ_USER,
    bindings: [userId],
  }
}

/**
 * Holds the rows of several users until the transaction ends. PostgreSQL locks them in the order
 * of their ids, so that two such transactions can't wait for each other; on SQLite a transaction
 * holds the whole database anyway.
 */
export async function lockUsers(trx: TransactionClientContract, userIds: number[]): Promise<void> {
  if (trx.dialect.name !== 'postgres') return
  await trx.rawQuery('SELECT id FROM users WHERE id = ANY(?) ORDER BY id FOR NO KEY UPDATE', [
    userIds,
  ])
}
