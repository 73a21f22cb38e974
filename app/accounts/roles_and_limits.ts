import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { withManagedUser } from '#app/accounts/administrator'
import { ADVISORY_LOCKS } from '#app/database/advisory_locks'
import { endSupportSessionsBy, endSupportSessionsOf } from '#app/sessions/support'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { E_FORBIDDEN } from '#exceptions/errors'
import type User from '#models/user'
import type { Role } from '#models/user'

/**
 * Gives a user another role, in force at their next request. Returns the user as it stands then;
 * null when there is no such user. Throws `E_FORBIDDEN` for the last administrator.
 */
export async function changeRole(
  userId: number,
  role: Role,
  { actor, note }: { actor: Actor; note?: string | null }
): Promise<User | null> {
  return withManagedUser(userId, actor, async (trx, user) => {
    await writeRole(trx, user, role, { actor, note })
    return user
  })
}

/**
 * The same under the user's lock.
 */
export async function writeRole(
  trx: TransactionClientContract,
  user: User,
  role: Role,
  { actor, note }: { actor: Actor; note?: string | null }
): Promise<void> {
  if (role !== 'admin') endSupportSessionsBy(trx, `user:${user.id}`)
  if (user.role === role) return
  await keepAnAdmin(trx, user)
  if (role === 'admin') await endSupportSessionsOf(trx, user, actor)
  const from = user.role
  user.role = role
  await user.useTransaction(trx).save()
  await appendEvents(trx, [
    {
      type: 'user.role_changed',
      userId: user.id,
      actor,
      data: { from, to: role, note: note ?? null },
    },
  ])
}

/**
 * Lets an administrator go only when another one, enabled, is left. For use under the user's
 * lock: two who go at once do so one after the other, and the second is refused.
 *
 * Throws `E_FORBIDDEN` for the last.
 */
export async function keepAnAdmin(trx: TransactionClientContract, leaving: User): Promise<void> {
  if (!leaving.isAdmin || leaving.isDisabled) return
  if (trx.dialect.name === 'postgres') {
    await trx.rawQuery('SELECT pg_advisory_xact_lock(?)', [ADVISORY_LOCKS.admins])
  }
  const other = await trx
    .from('users')
    .where('role', 'admin')
    .whereNot('id', leaving.id)
    .whereNull('disabled_at')
    .select('id')
    .first()
  if (!other) {
    throw new E_FORBIDDEN({
      message:
        'This is the last administrator. Make somebody else one first: node ace user:role USER admin.',
    })
  }
}

/**
 * The highest limit that can be set.
 */
export const HIGHEST_LIMIT = 100_000

/**
 * Gives a user a session limit of their own: 0 is no limit, null that of the role or of the
 * configuration. A lowered limit takes effect at the next sign-in, or by `enforceLimits`. Returns
 * the user as it stands then; null when there is no such user.
 */
export async function setSessionLimit(
  userId: number,
  limit: number | null,
  actor: Actor
): Promise<User | null> {
  return withManagedUser(userId, actor, async (trx, user) => {
    await writeSessionLimit(trx, user, limit, actor)
    return user
  })
}

/**
 * The same under the user's lock.
 */
export async function writeSessionLimit(
  trx: TransactionClientContract,
  user: User,
  limit: number | null,
  actor: Actor
): Promise<void> {
  if (user.sessionLimit === limit) return
  const from = user.sessionLimit
  user.sessionLimit = limit
  await user.useTransaction(trx).save()
  await appendEvents(trx, [
    { type: 'user.limit_changed', userId: user.id, actor, data: { from, to: limit } },
  ])
}
