import { forbidden, keepFromAdmins } from '#app/accounts/administrator'
import { confirmAt } from '#app/accounts/confirm_sign_in'
import { refuseClosed } from '#app/accounts/credentials'
import { findUserBySession } from '#app/accounts/find_users'
import { writeSessionLimit } from '#app/accounts/roles_and_limits'
import { findOrCreate, isSame, type GivenUser } from '#app/accounts/user_keys'
import clock from '#app/clock'
import type { Actor } from '#app/event_log/actor'
import { writeDueEnds } from '#app/sessions/end'
import { openSessionUnderLock, type OpenedSession, type SignIn } from '#app/sessions/open'
import { withUserLock } from '#app/sessions/user_lock'
import sessionsConfig from '#config/sessions'
import { E_NOT_FOUND, E_VALIDATION_ERROR } from '#exceptions/errors'
import type User from '#models/user'

/*
 * Trusted backends: their own login decides who the user is, and sessions are opened here, under the
 * policy of every sign-in.
 */

/**
 * What a trusted backend asks for besides the session. `limit` becomes the user's own.
 */
export type TrustedOrder = {
  user: GivenUser
  create?: boolean
  limit?: number
  actor: Actor
}

/**
 * Opens a session of the user whom a trusted backend names, in one commit with the account, where it is
 * made (`create`), and with the user's own limit, where one is given.
 *
 * Throws `E_USER_NOT_FOUND`, `E_USER_EXISTS`, `E_FORBIDDEN` for an admin, `E_ACCOUNT_DISABLED`,
 * `E_EMAIL_NOT_VERIFIED` for an account that a stranger may have made, and what `openSession` throws.
 * Then nothing has changed.
 */
export async function signInTrusted(
  { user: given, create = false, limit, actor }: TrustedOrder,
  signIn: SignIn
): Promise<{ user: User; opened: OpenedSession }> {
  demandBinding(signIn)
  return findOrCreate(
    given,
    { create, actor },
    (found) =>
      withUserLock(found.id, async (trx, user) => {
        if (!user || !isSame(found, user)) return null
        keepFromAdmins(user, actor)
        refuseClosed(user)
        if (limit !== undefined) await writeSessionLimit(trx, user, limit, actor)
        return { user, opened: await openSessionUnderLock(trx, user, { ...signIn, actor }) }
      }),
    async (trx, user) => {
      if (limit !== undefined) await writeSessionLimit(trx, user, limit, actor)
      const first = { ...signIn, actor, atSignUp: true }
      return { user, opened: await openSessionUnderLock(trx, user, first) }
    }
  )
}

/**
 * What sessions are bound to is the person's and not the backend's, so the backend has to say it.
 */
function demandBinding({ keyThumbprint, userAgent }: SignIn): void {
  const { binding } = sessionsConfig
  const missing =
    binding === 'key' && !keyThumbprint
      ? 'dpopJkt'
      : binding === 'user_agent' && userAgent === null
        ? 'userAgent'
        : null
  if (missing === null) return
  const message = `Sessions are bound to it (SESSION_BINDING=${binding}): send ${missing}`
  throw new E_VALIDATION_ERROR([{ field: missing, rule: 'required', message }])
}

/**
 * Makes a session fresh whose user has shown a trusted backend who they are. Returns since when it is:
 * it never becomes less so.
 *
 * Throws `E_NOT_FOUND` for what is no live session, and `E_FORBIDDEN` for one of an admin, or one that
 * an admin holds as the user.
 */
export async function confirmTrusted(
  sessionId: string,
  { authenticatedAt, actor }: { authenticatedAt?: Date; actor: Actor }
): Promise<Date> {
  const owner = await findUserBySession(sessionId)
  const confirmed = await withUserLock(owner.id, async (trx, user) => {
    const live = user && !user.isDisabled ? await writeDueEnds(trx, user.id) : []
    const session = live.find(({ id }) => id === sessionId)
    if (!user || !session) return null
    keepFromAdmins(user, actor)
    if (session.kind === 'support') throw forbidden('A support session is never fresh.')
    const at = authenticatedAt ?? clock.now()
    if (at <= session.authenticatedAt) return session.authenticatedAt
    return confirmAt(trx, session, at, actor)
  })
  if (!confirmed) throw new E_NOT_FOUND()
  return confirmed
}
