import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { DatabaseQueryBuilderContract } from '@adonisjs/lucid/types/querybuilder'
import { inList, rows } from '#app/database/sql'
import { inTransaction } from '#app/database/transaction'
import type User from '#models/user'
import { SELECT_USERS, toUser, type UserRow } from '#models/user_row'

/**
 * Runs `work` in a transaction that holds the user's row. Whatever opens or ends sessions of a
 * user, changes the password or disables the account goes through here, so these happen one after
 * another on every node, and count, evict and insert see the truth.
 *
 * On PostgreSQL the first statement locks the row. On SQLite the transaction has held the whole
 * database since it began (#app/database/sqlite).
 *
 * `user` is null when there is no such user any more.
 */
export async function withUserLock<Result>(
  userId: number,
  work: (trx: TransactionClientContract, user: User | null) => Promise<Result>
): Promise<Result> {
  return inTransaction(async (trx) => {
    const lock = trx.dialect.name === 'postgres' ? 'FOR NO KEY UPDATE' : ''
    const [row] = await rows<UserRow>(trx, `${SELECT_USERS} WHERE id = ? ${lock}`, [userId])
    return work(trx, row ? toUser(row).useTransaction(trx) : null)
  })
}

/**
 * Holds the rows of the users of several sessions, for writes to many sessions at once.
 */
export async function lockUsersOfSessions(
  trx: TransactionClientContract,
  sessionIds: string[]
): Promise<void> {
  const byId = inList(trx, 'id', 'uuid', sessionIds)
  const owners = await rows<{ user_id: number }>(
    trx,
    `SELECT DISTINCT user_id FROM sessions WHERE user_id IS NOT NULL AND ${byId.sql}`,
    [byId.binding]
  )
  await lockUsers(
    trx,
    owners.map((owner) => owner.user_id)
  )
}

/**
 * A step of `inBatches` (#app/background/batches) through rows that belong to users: each batch in a
 * transaction that holds those users, where `work` must look again at what it was given. Returns how
 * many rows that changed.
 *
 * `left` chooses the rows, outside of the transaction; `number` is the column that counts them up,
 * by whose values `work` is told them, and `owner` that of their users.
 */
export function stepUnderLocks(
  {
    left,
    number,
    owner,
  }: { left: () => DatabaseQueryBuilderContract; number: string; owner: string },
  work: (trx: TransactionClientContract, numbers: number[]) => Promise<number>
): (size: number) => Promise<{ taken: number; done: number }> {
  let after = 0
  return async (size) => {
    const next = await left()
      .where(number, '>', after)
      .select({ number, owner })
      .orderBy(number)
      .limit(size)
    if (next.length === 0) return { taken: 0, done: 0 }
    const numbers = next.map((row) => Number(row.number))
    after = numbers.at(-1)!
    const done = await inTransaction(async (trx) => {
      await lockUsers(
        trx,
        next.map((row) => row.owner)
      )
      return work(trx, numbers)
    })
    return { taken: next.length, done }
  }
}

/**
 * Holds the rows of several users until the transaction ends. PostgreSQL locks them in the order
 * of their ids, so that two such transactions can't wait for each other; on SQLite a transaction
 * holds the whole database anyway.
 */
export async function lockUsers(
  trx: TransactionClientContract,
  userIds: (number | null)[]
): Promise<void> {
  if (trx.dialect.name !== 'postgres') return
  await trx.rawQuery('SELECT id FROM users WHERE id = ANY(?) ORDER BY id FOR NO KEY UPDATE', [
    [...new Set(userIds)].filter((id) => id !== null),
  ])
}
