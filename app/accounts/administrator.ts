import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Actor } from '#app/event_log/actor'
import type { Session } from '#app/sessions/session'
import { withUserLock } from '#app/sessions/user_lock'
import { E_FORBIDDEN } from '#exceptions/errors'
import type User from '#models/user'

/**
 * Who administers: an admin, through a session, or a service client with the ability `manage`.
 */
export type Administrator = { actor: Actor; session: Session | null }

/**
 * Whether it is a service client that acts.
 */
export function isServiceClient(actor: Actor): boolean {
  return actor.startsWith('service_client:')
}

/**
 * Throws `E_FORBIDDEN` where a service client would speak for an admin or change one: its secret stands
 * in the configuration of another program, and must not be worth an admin's password.
 */
export function keepFromAdmins(user: Pick<User, 'isAdmin'>, actor: Actor): void {
  if (user.isAdmin && isServiceClient(actor)) {
    throw forbidden('A service client touches no account with the role admin.')
  }
}

/**
 * The refusal of what an admin or a service client may not do to this account. Without a challenge: no
 * other token would do.
 */
export function forbidden(message: string) {
  return new E_FORBIDDEN({ message: `${message} Nothing was changed.`, challenge: false })
}

/**
 * Runs `work` under the lock of a user whom somebody changes who is not the user. Null when there is no
 * such user. Throws `E_FORBIDDEN` as `keepFromAdmins` does.
 */
export async function withManagedUser<Result>(
  userId: number,
  actor: Actor,
  work: (trx: TransactionClientContract, user: User) => Promise<Result>
): Promise<Result | null> {
  return withUserLock(userId, async (trx, user) => {
    if (!user) return null
    keepFromAdmins(user, actor)
    return work(trx, user)
  })
}
