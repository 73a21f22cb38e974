import type { Caller } from '#app/background/semaphore'
import { confirmPassword } from '#app/accounts/credentials'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import { appendEvents } from '#app/event_log/append'
import { withLiveSession } from '#app/sessions/with_live_session'
import type { Session } from '#app/sessions/session'
import { E_INVALID_CREDENTIALS } from '#exceptions/errors'

/**
 * Makes a session fresh: its user has given their password once more. Returns when.
 *
 * Throws `E_INVALID_CREDENTIALS` when it is wrong or has changed meanwhile, and `E_SESSION_ENDED`
 * when the session ended meanwhile.
 */
export async function confirmSignIn(
  acting: Session,
  password: string,
  caller?: Caller
): Promise<Date> {
  const verified = await confirmPassword(acting, password, caller)
  return withLiveSession(acting, async (trx, user) => {
    if (user.password !== verified.password) throw new E_INVALID_CREDENTIALS()
    const now = clock.now()
    await rows(trx, 'UPDATE sessions SET authenticated_at = ? WHERE id = ?', [now, acting.id])
    await appendEvents(trx, [
      {
        type: 'session.changed',
        userId: user.id,
        sessionId: acting.id,
        actor: `user:${user.id}`,
        data: { what: 'freshness' },
      },
    ])
    return now
  })
}
