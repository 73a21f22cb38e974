import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { ModelObject } from '@adonisjs/lucid/types/model'
import { inOneGo, type Statement } from '#app/database_connections/in_one_go'
import { inTransaction } from '#app/database_connections/in_transaction'
import User from '#models/user'

/**
 * Runs `work` in a transaction that holds the user's row. Whatever opens or ends sessions of a
 * user, changes the password or disables the account goes through here, so these happen one after
 * another on every node, and count, evict and insert see the truth.
 *
 * The first statement writes: it takes SQLite's write lock before anything is read (a deferred
 * transaction that reads first could fail with SQLITE_BUSY) and the row's lock on PostgreSQL.
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
    const [locked, ...read] = await inOneGo(trx, [lockUser(trx, userId), ...also])
    return work(trx, toUser(trx, locked[0] as ModelObject | undefined), read)
  })
}

/**
 * What takes the lock and reads the user.
 */
function lockUser(trx: TransactionClientContract, userId: number): Statement {
  const sql =
    trx.dialect.name === 'postgres'
      ? `SELECT ${columnsOfUser()} FROM users WHERE id = ? FOR NO KEY UPDATE`
      : 'UPDATE users SET id = id WHERE id = ? RETURNING *'
  return { sql, bindings: [userId] }
}

function toUser(trx: TransactionClientContract, row: ModelObject | undefined): User | null {
  return row
    ? User.$createFromAdapterResult(row, undefined, {
        client: trx,
        connection: trx.connectionName,
      })
    : null
}

/**
 * By name: PostgreSQL can keep such a statement (#app/database_connections/name_statements).
 */
function columnsOfUser(): string {
  return [...User.$columnsDefinitions.values()].map(({ columnName }) => columnName).join(', ')
}

/**
 * Holds the rows of several users until the transaction ends. PostgreSQL locks them in the order
 * of their ids, so that two such transactions can't wait for each other; on SQLite any write holds
 * the whole database.
 */
export async function lockUsers(trx: TransactionClientContract, userIds: number[]): Promise<void> {
  if (trx.dialect.name === 'postgres') {
    await trx.rawQuery('SELECT id FROM users WHERE id = ANY(?) ORDER BY id FOR NO KEY UPDATE', [
      userIds,
    ])
  } else {
    await trx.rawQuery('UPDATE users SET id = id WHERE id = ?', [userIds[0] ?? 0])
  }
}
