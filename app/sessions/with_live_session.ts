import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { writeDueEnds } from '#app/sessions/end'
import type { Session, StoredSession } from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import { withUserLock } from '#app/sessions/user_lock'
import { E_SESSION_ENDED } from '#exceptions/errors'
import type User from '#models/user'

/**
 * Runs `work` under the lock of the user who speaks through `acting`, with the user's live
 * sessions, once it is certain that `acting` is still one of them. Throws `E_SESSION_ENDED` when
 * it is not, after the ends by time that were found on the way have committed: so `work` returns
 * what is refused because a session has ended, and throws only where that does not matter.
 */
export async function withLiveSession<Result>(
  acting: Session,
  work: (trx: TransactionClientContract, user: User, live: StoredSession[]) => Promise<Result>
): Promise<Result> {
  const outcome = await withUserLock(acting.userId, async (trx, user) => {
    const live = user ? await writeDueEnds(trx, user.id) : []
    if (!user || !live.some((session) => session.id === acting.id)) {
      return { end: await endOfSession(trx, acting.id) }
    }
    return { result: await work(trx, user, live) }
  })
  if ('end' in outcome && outcome.end) throw new E_SESSION_ENDED(outcome.end)
  return outcome.result as Result
}
