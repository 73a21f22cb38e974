import type { SessionEnd } from '#exceptions/errors'
import { endSessions, type Ending } from '#app/sessions/end'
import { settleSessionsOf } from '#app/sessions/live_sessions'
import type { Session } from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Ends one session, if it still lives, under the lock of its user. Returns how it ended, by this
 * or by what came before.
 */
export async function endSession(
  session: Pick<Session, 'id' | 'userId'>,
  ending: Ending
): Promise<SessionEnd> {
  return withUserLock(session.userId, async (trx, user) => {
    const live = user ? await settleSessionsOf(trx, user) : []
    const target = live.filter((candidate) => candidate.id === session.id)
    await endSessions(trx, target, ending)
    return endOfSession(trx, session.id)
  })
}
