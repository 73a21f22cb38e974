import { DateTime } from 'luxon'
import clock from '#app/clock'
import type { Caller } from '#app/background/semaphore'
import { ownerOfReset, spendReset } from '#app/accounts/password_resets'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import { setPassword } from '#app/accounts/set_password'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import { closeEndedOfUser, endSessions } from '#app/sessions/end'
import User from '#models/user'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Sets a new password by a reset token, which also verifies the e-mail, and ends all sessions of its user (`password_reset`). Of
 * all who use one token, at whatever moment, one succeeds.
 *
 * Throws `E_VALIDATION_ERROR` when the token is unknown, spent or past its time, or its account is
 * disabled: the same answer for each.
 */
export async function resetPassword(
  token: string,
  password: string,
  caller?: Caller
): Promise<void> {
  const userId = await ownerOfReset(token)
  if (userId === null) throw invalidLink()
  const owner = await User.find(userId)
  await refuseGuessable(password, owner?.email ?? null)
  const hashed = await hashPassword(password, caller)

  await withUserLock(userId, async (trx, user) => {
    if (!user || user.isDisabled) throw invalidLink()
    if (!(await spendReset(trx, user.id, token))) throw invalidLink()
    /** The link went to this address, so whoever has it holds the address. */
    user.emailVerifiedAt ??= DateTime.fromJSDate(clock.now())
    const actor = `user:${user.id}` as const
    await setPassword(trx, user, hashed, { actor, means: 'reset' })
    await endSessions(trx, await closeEndedOfUser(trx, user.id), {
      reason: 'password_reset',
      actor,
    })
  })
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
