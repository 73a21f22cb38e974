import { closeEndedOfUser } from '#app/sessions/close_ended'
import { endSessions, type Ending } from '#app/sessions/end'
import type { Session } from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import { withUserLock } from '#app/sessions/user_lock'
import type { SessionEnd } from '#exceptions/errors'

/**
 * Ends one session, if it still lives, under the lock of its user. Returns how it ended, by this or
 * by what came before.
 */
export async function endSession(
  session: Pick<Session, 'id' | 'userId'>,
  ending: Ending
): Promise<SessionEnd> {
  return withUserLock(session.userId, async (trx, user) => {
    const live = user ? await closeEndedOfUser(trx, user.id) : []
    const target = live.filter(({ id }) => id === session.id)
    await endSessions(trx, target, ending)
    return endOfSession(trx, session.id)
  })
}
