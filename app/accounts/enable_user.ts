import type User from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Lets a disabled account sign in again. What ended stays ended. Returns the user as it stands
 * then; null when there is no such user.
 */
export async function enableUser(
  userId: number,
  { actor, note }: { actor: Actor; note?: string | null }
): Promise<User | null> {
  return withUserLock(userId, async (trx, user) => {
    if (!user?.isDisabled) return user
    user.disabledAt = null
    await user.useTransaction(trx).save()
    await appendEvents(trx, [
      { type: 'user.enabled', userId: user.id, actor, data: { note: note ?? null } },
    ])
    return user
  })
}
