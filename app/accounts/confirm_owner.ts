import db from '@adonisjs/lucid/services/db'
import { confirmPassword } from '#app/accounts/credentials'
import { FRESH, requireFresh } from '#app/auth/freshness'
import type { Caller } from '#app/background/semaphore'
import type { Session } from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import accountsConfig from '#config/accounts'
import { E_SESSION_ENDED, E_VALIDATION_ERROR } from '#exceptions/errors'
import User from '#models/user'

/**
 * The user who speaks through `acting` and has shown that it is them: by their password, or by a fresh
 * sign-in where the account has none, or none signs anybody in.
 *
 * Throws `E_INVALID_CREDENTIALS` for a wrong password, `E_VALIDATION_ERROR` for a missing one,
 * `E_REAUTHENTICATION_REQUIRED`, and `E_SESSION_ENDED` when the account is gone.
 */
export async function confirmOwner(
  acting: Session,
  password: string | undefined,
  caller?: Caller
): Promise<User> {
  const user = await User.find(acting.userId)
  if (!user) throw new E_SESSION_ENDED(await endOfSession(db.connection(), acting.id))
  if (!user.password || !accountsConfig.passwordSignIn) {
    requireFresh(acting, FRESH)
    return user
  }
  if (password !== undefined) return confirmPassword(acting, password, caller)
  const message = 'The currentPassword field must be defined'
  throw new E_VALIDATION_ERROR([{ field: 'currentPassword', rule: 'required', message }])
}
