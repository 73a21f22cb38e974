import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { E_NOT_FOUND, E_SESSION_ENDED } from '#exceptions/errors'
import type User from '#models/user'
import { endSessions } from '#app/sessions/end'
import { endOfSession } from '#app/sessions/session_end'
import { settleSessionsOf } from '#app/sessions/live_sessions'
import type { Session } from '#app/sessions/session'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Which of their sessions a user ends: this one, the others, all, or one by its id.
 */
export type LogOutScope = 'current' | 'others' | 'all' | { sessionId: string }

/**
 * The sessions that ended.
 */
export type LoggedOut = Session[]

/**
 * Ends sessions of the user who speaks through `acting`: `logged_out` for that one itself,
 * `logged_out_elsewhere` for the others.
 *
 * Throws `E_SESSION_ENDED` when `acting` ended meanwhile, so that a device that was just signed
 * out can't take others along, and `E_NOT_FOUND` for an id that is no live session of this user.
 */
export async function logOut(acting: Session, scope: LogOutScope): Promise<LoggedOut> {
  return withLiveSession(acting, async (trx, _, live) => {
    const chosen = live.filter((session) => isChosen(session, acting, scope))
    if (typeof scope === 'object' && chosen.length === 0) throw new E_NOT_FOUND()

    const actor = `user:${acting.userId}` as const
    const current = chosen.filter((session) => session.id === acting.id)
    const others = chosen.filter((session) => session.id !== acting.id)
    await endSessions(trx, current, { reason: 'logged_out', actor })
    await endSessions(trx, others, { reason: 'logged_out_elsewhere', actor })
    return chosen
  })
}

/**
 * Runs `work` under the lock of the user who speaks through `acting`, with the user's live
 * sessions, once it is certain that `acting` is still one of them. Throws `E_SESSION_ENDED` when
 * it is not.
 */
export async function withLiveSession<Result>(
  acting: Session,
  work: (trx: TransactionClientContract, user: User, live: Session[]) => Promise<Result>
): Promise<Result> {
  return withUserLock(acting.userId, async (trx, user) => {
    const live = user ? await settleSessionsOf(trx, user) : []
    if (!user || !live.some((session) => session.id === acting.id)) {
      throw new E_SESSION_ENDED(await endOfSession(trx, acting.id))
    }
    return work(trx, user, live)
  })
}

function isChosen(session: Session, acting: Session, scope: LogOutScope): boolean {
  if (scope === 'all') return true
  if (scope === 'current') return session.id === acting.id
  if (scope === 'others') return session.id !== acting.id
  return session.id === scope.sessionId
}
