import db from '@adonisjs/lucid/services/db'
import { forbidden, withManagedUser } from '#app/accounts/administrator'
import type { Actor } from '#app/event_log/actor'
import { clientLives } from '#app/service_clients/authenticate_client'
import { endSession } from '#app/sessions/end'
import { openSupportSession, type SupportOrder } from '#app/sessions/support'
import type { OpenedSession } from '#app/sessions/open'
import { E_ACCOUNT_DISABLED, E_FORBIDDEN } from '#exceptions/errors'
import type User from '#models/user'

/**
 * Opens a session as a user for an administrator. Null when there is no such user. Throws `E_FORBIDDEN`
 * for an account with the role admin, or where the administrator is none any more, and
 * `E_ACCOUNT_DISABLED`.
 *
 * Whoever takes an administrator's rights away ends the support sessions that they see after their commit
 * (`endSupportSessionsBy`), and this looks for the rights after its own: one of the two sees the other.
 */
export async function openSupport(
  userId: number,
  order: SupportOrder
): Promise<{ user: User; opened: OpenedSession } | null> {
  const support = await withManagedUser(userId, order.actor, async (trx, user) => {
    if (user.isAdmin) throw forbidden('Nobody acts as an administrator.')
    if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
    return { user, opened: await openSupportSession(trx, user, order) }
  })
  if (support && !(await mayStillAct(order.actor))) {
    await endSession(support.opened.session, { reason: 'forced', actor: 'system' })
    throw new E_FORBIDDEN({ message: 'You administer nothing any more.', challenge: false })
  }
  return support
}

async function mayStillAct(actor: Actor): Promise<boolean> {
  const [kind, id] = actor.split(':')
  if (kind === 'service_client') return clientLives(id)
  const admin = await db
    .from('users')
    .where({ id, role: 'admin' })
    .whereNull('disabled_at')
    .select('id')
    .first()
  return admin !== null
}
