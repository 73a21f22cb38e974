import { appendEvents } from '#app/event_log/append'
import { withLiveSession } from '#app/sessions/with_live_session'
import { withRefreshToken, type Holder } from '#app/sessions/with_refresh_token'
import { endSessions } from '#app/sessions/end'
import type { Session } from '#app/sessions/session'
import { moveValidFrom } from '#app/sessions/valid_from'
import { E_NOT_FOUND } from '#exceptions/errors'

/*
 * What users do with their own sessions.
 */

/**
 * Which of their sessions a user ends: this one, the others, all, or one by its id.
 */
export type LogOutScope = 'current' | 'others' | 'all' | { sessionId: string }

/**
 * Ends sessions of the user who speaks through `acting`: `logged_out` for that one itself,
 * `logged_out_elsewhere` for the others. Returns those that ended. `all` also makes credentials of
 * old systems worthless that were issued before.
 *
 * Throws `E_SESSION_ENDED` when `acting` ended meanwhile, so that a device that was just signed
 * out can't take others along, and `E_NOT_FOUND` for an id that is no live session of this user.
 */
export async function logOut(acting: Session, scope: LogOutScope): Promise<Session[]> {
  const ended = await withLiveSession(acting, async (trx, user, live) => {
    const chosen = live.filter((session) => isChosen(session, acting, scope))
    const actor = `user:${user.id}` as const
    const current = chosen.filter((session) => session.id === acting.id)
    const others = chosen.filter((session) => session.id !== acting.id)
    await endSessions(trx, current, { reason: 'logged_out', actor })
    await endSessions(trx, others, { reason: 'logged_out_elsewhere', actor })
    if (scope === 'all') await moveValidFrom(trx, user.id)
    return chosen
  })
  if (typeof scope === 'object' && ended.length === 0) throw new E_NOT_FOUND()
  return ended
}

/**
 * Ends the session of a refresh token, live or spent: whoever has nothing else left may sign out.
 * Throws what `withRefreshToken` throws.
 */
export async function logOutByRefreshToken(refreshToken: string, holder: Holder): Promise<Session> {
  return withRefreshToken(refreshToken, holder, async (trx, session) => {
    const actor = `user:${session.userId}` as const
    await endSessions(trx, [session], { reason: 'logged_out', actor })
    return session
  })
}

function isChosen(session: Session, acting: Session, scope: LogOutScope): boolean {
  if (scope === 'all') return true
  if (scope === 'current') return session.id === acting.id
  if (scope === 'others') return session.id !== acting.id
  return session.id === scope.sessionId
}

/**
 * Gives the device of one of the user's live sessions a name. Returns the session as it is then.
 *
 * Throws `E_NOT_FOUND` for an id that is no live session of the user who speaks through `acting`,
 * and `E_SESSION_ENDED` when `acting` ended meanwhile.
 */
export async function renameSession(
  acting: Session,
  sessionId: string,
  name: string
): Promise<Session> {
  const renamed = await withLiveSession(acting, async (trx, user, live) => {
    const session = live.find(({ id }) => id === sessionId)
    if (!session) return null
    await trx.from('sessions').where('id', session.id).update({ device_name: name })
    await appendEvents(trx, [
      {
        type: 'session.changed',
        userId: user.id,
        sessionId: session.id,
        actor: `user:${user.id}`,
        data: { what: 'name' },
      },
    ])
    return { ...session, device: { ...session.device, name } }
  })
  if (!renamed) throw new E_NOT_FOUND()
  return renamed
}
