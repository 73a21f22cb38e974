import db from '@adonisjs/lucid/services/db'
import { withManagedUser } from '#app/accounts/administrator'
import {
  clearContest,
  toContest,
  type Contest,
  type ContestRow,
} from '#app/contested_accounts/contest'
import type { Actor } from '#app/event_log/actor'
import type { Page } from '#app/event_log/list'
import User from '#models/user'

/**
 * A contested account as admins see one.
 */
export type ContestedAccount = { user: User; contest: Contest }

/**
 * One page of the accounts that are contested, the latest first, with the paginator's numbers. They
 * stay until they are cleared, or pruned.
 */
export async function listContested({ page, perPage }: Page) {
  const paginator = await db
    .from('contested_accounts')
    .whereNull('cleared_at')
    .orderBy([
      { column: 'last_at', order: 'desc' },
      { column: 'user_id', order: 'asc' },
    ])
    .paginate(page, perPage)
  const contests = (paginator.all() as ContestRow[]).map(toContest)
  const users = await User.query().whereIn(
    'id',
    contests.map(({ userId }) => userId)
  )
  const byId = new Map(users.map((user) => [user.id, user]))
  const accounts = contests.flatMap((contest): ContestedAccount[] => {
    const user = byId.get(contest.userId)
    return user ? [{ user, contest }] : []
  })
  return { accounts, meta: paginator.getMeta() }
}

/**
 * Clears a contested account by an administrator. Returns whether it was contested. Throws
 * `E_FORBIDDEN` where a service client would touch an admin.
 */
export async function clearContested(userId: number, actor: Actor): Promise<boolean> {
  const wasContested = await withManagedUser(userId, actor, (trx, user) =>
    clearContest(trx, user.id, actor)
  )
  return wasContested ?? false
}
