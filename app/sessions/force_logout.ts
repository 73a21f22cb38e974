import type User from '#models/user'
import type { Actor } from '#sessions/actor'
import { endSessions } from '#sessions/end_sessions'
import { appendEvents } from '#sessions/events'
import { settleSessionsOf } from '#sessions/live_sessions'
import type { Session } from '#sessions/session'
import { withUserLock } from '#sessions/user_lock'

/**
 * Ends all live sessions of a user. Returns those that ended.
 */
export async function forceLogoutUser(
  user: User,
  by: { actor: Actor; note?: string | null }
): Promise<Session[]> {
  return withUserLock(user.id, async (trx, locked) => {
    if (!locked) return []
    const live = await settleSessionsOf(trx, locked)
    await endSessions(trx, live, { reason: 'forced', ...by })
    await appendEvents(trx, [
      {
        type: 'force_logout',
        userId: user.id,
        actor: by.actor,
        data: { matched: live.length, note: by.note ?? null },
      },
    ])
    return live
  })
}
