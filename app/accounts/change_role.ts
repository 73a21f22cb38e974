import { keepAnAdmin } from '#app/accounts/last_admin'
import type User from '#models/user'
import type { Role } from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Gives a user another role, in force at their next request. Returns the user as it stands then;
 * null when there is no such user. Throws `E_FORBIDDEN` for the last administrator.
 */
export async function changeRole(
  userId: number,
  role: Role,
  { actor, note }: { actor: Actor; note?: string | null }
): Promise<User | null> {
  return withUserLock(userId, async (trx, user) => {
    if (!user || user.role === role) return user
    await keepAnAdmin(trx, user)
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
    return user
  })
}
