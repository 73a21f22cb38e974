import clock from '#app/clock'
import { notify } from '#accounts/notify'
import { ownerOfReset, spendReset } from '#accounts/password_resets'
import { hashPassword } from '#accounts/passwords'
import { setPassword } from '#accounts/set_password'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import PasswordChangedMail from '#mails/password_changed_mail'
import { endSessions } from '#sessions/end_sessions'
import { settleSessionsOf } from '#sessions/live_sessions'
import { withUserLock } from '#sessions/user_lock'

/**
 * Sets a new password by a reset token and ends all sessions of its user (`password_reset`). Of
 * all who use one token, at whatever moment, one succeeds.
 *
 * Throws `E_VALIDATION_ERROR` when the token is unknown, spent or past its time, or its account is
 * disabled: the same answer for each.
 */
export async function resetPassword(token: string, password: string): Promise<void> {
  const userId = await ownerOfReset(token)
  if (userId === null) throw invalidLink()
  const hashed = await hashPassword(password)

  const changed = await withUserLock(userId, async (trx, user) => {
    if (!user || user.isDisabled) throw invalidLink()
    if (!(await spendReset(trx, user.id, token))) throw invalidLink()
    const actor = `user:${user.id}` as const
    await setPassword(trx, user, hashed, { actor, means: 'reset' })
    await endSessions(trx, await settleSessionsOf(trx, user), { reason: 'password_reset', actor })
    return user
  })
  notify(changed, new PasswordChangedMail(clock.now()))
}

function invalidLink() {
  return new E_VALIDATION_ERROR([
    {
      field: 'token',
      rule: 'resetToken',
      message: 'The reset link is not valid any more. Please ask for a new one.',
    },
  ])
}
