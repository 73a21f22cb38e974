import { forbidden, withManagedUser } from '#app/accounts/administrator'
import { openSupportSession, type SupportOrder } from '#app/sessions/support'
import type { OpenedSession } from '#app/sessions/open'
import { E_ACCOUNT_DISABLED } from '#exceptions/errors'
import type User from '#models/user'

/**
 * Opens a session as a user for an administrator. Null when there is no such user. Throws `E_FORBIDDEN`
 * for an account with the role admin, and `E_ACCOUNT_DISABLED`.
 */
export async function openSupport(
  userId: number,
  order: SupportOrder
): Promise<{ user: User; opened: OpenedSession } | null> {
  return withManagedUser(userId, order.actor, async (trx, user) => {
    if (user.isAdmin) throw forbidden('Nobody acts as an administrator.')
    if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
    return { user, opened: await openSupportSession(trx, user, order) }
  })
}
