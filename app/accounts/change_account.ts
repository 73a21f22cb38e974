import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import type { Session } from '#app/sessions/session'
import { withLiveSession } from '#app/sessions/with_live_session'
import type User from '#models/user'

/**
 * What users say of themselves; what is undefined stays as it is.
 */
export type AccountChanges = Partial<Pick<User, 'fullName' | 'locale'>>

/**
 * Changes the account of the user who speaks through `acting`. Returns it as it stands then. Throws
 * `E_SESSION_ENDED` when `acting` ended meanwhile.
 */
export async function changeAccount(acting: Session, changes: AccountChanges): Promise<User> {
  return withLiveSession(acting, async (trx, user) => {
    await writeFields(trx, user, changes, `user:${user.id}`)
    return user
  })
}

/**
 * Writes what is said of an account, and to the log which of it is new. For use under the user's lock.
 */
export async function writeFields(
  trx: TransactionClientContract,
  user: User,
  changes: AccountChanges & Partial<Pick<User, 'externalId'>>,
  actor: Actor
): Promise<void> {
  const said = Object.entries(changes).filter(([, value]) => value !== undefined)
  user.merge(Object.fromEntries(said))
  const fields = Object.keys(user.$dirty)
  if (fields.length === 0) return
  await user.useTransaction(trx).save()
  await appendEvents(trx, [{ type: 'user.changed', userId: user.id, actor, data: { fields } }])
}
