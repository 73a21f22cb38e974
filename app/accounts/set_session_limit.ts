import type User from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { withUserLock } from '#app/sessions/user_lock'

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
  return withUserLock(userId, async (trx, user) => {
    if (!user || user.sessionLimit === limit) return user
    const from = user.sessionLimit
    user.sessionLimit = limit
    await user.useTransaction(trx).save()
    await appendEvents(trx, [
      { type: 'user.limit_changed', userId: user.id, actor, data: { from, to: limit } },
    ])
    return user
  })
}
