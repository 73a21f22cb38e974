import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { DateTime } from 'luxon'
import {
  findLink,
  invalidLink,
  mintLink,
  requestLink,
  urlOfLink,
  useLink,
} from '#app/accounts/mailed_links'
import { namesOfLiveKeys } from '#app/api_keys/api_key'
import type { Caller } from '#app/background/semaphore'
import clock from '#app/clock'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import { writeDueEnds, endSessions } from '#app/sessions/end'
import { moveValidFrom } from '#app/sessions/valid_from'
import PasswordResetMail from '#mails/password_reset_mail'
import User from '#models/user'

/**
 * Takes a request to reset a forgotten password. Throws `E_UNAVAILABLE` when too many wait.
 */
export async function forgotPassword(email: string): Promise<void> {
  await requestLink(email, async (trx, user) => {
    const link = await mintResetLink(trx, user)
    return link === null ? null : new PasswordResetMail(link, await namesOfLiveKeys(trx, user))
  })
}

/**
 * Makes the URL by which a user sets a new password; null when one was made less than a minute ago.
 * For use under the user's lock.
 */
export async function mintResetLink(
  trx: TransactionClientContract,
  user: User
): Promise<string | null> {
  const token = await mintLink(trx, user, 'reset')
  if (token === null) return null
  await appendEvents(trx, [{ type: 'password.reset_requested', userId: user.id, actor: 'system' }])
  return urlOfLink('reset', token)
}

/**
 * Sets a new password by the token of a link, which also verifies the e-mail, and ends all sessions
 * of its user (`password_reset`). Of all who use one token, at whatever moment, one succeeds. Returns how many
 * API keys live on.
 *
 * Throws `E_VALIDATION_ERROR` when the link does not work: the same answer for every reason.
 */
export async function resetPassword(
  token: string,
  password: string,
  caller?: Caller
): Promise<number> {
  const { userId } = (await findLink(token, ['reset'])) ?? invalidLink('reset')
  const owner = await User.find(userId)
  await refuseGuessable(password, owner?.email ?? null)
  const hashed = await hashPassword(password, caller)

  return useLink(token, ['reset'], async (trx, user) => {
    /** The link went to this address, so whoever has it holds the address. */
    const actor = `user:${user.id}` as const
    if (!user.isEmailVerified) {
      user.emailVerifiedAt = DateTime.fromJSDate(clock.now())
      await appendEvents(trx, [{ type: 'email.verified', userId: user.id, actor }])
    }
    await setPassword(trx, user, hashed, { actor, means: 'reset' })
    await endSessions(trx, await writeDueEnds(trx, user.id), {
      reason: 'password_reset',
      actor,
    })
    const keys = await namesOfLiveKeys(trx, user)
    return keys.length
  })
}

/**
 * Writes a user's new password, a hash made by `hashPassword`. For use under the user's lock, beside
 * what ends the sessions.
 */
export async function setPassword(
  trx: TransactionClientContract,
  user: User,
  hashed: string,
  by: { actor: Actor; means: 'change' | 'reset' }
): Promise<void> {
  user.password = hashed
  await user.useTransaction(trx).save()
  await moveValidFrom(trx, user.id)
  await appendEvents(trx, [
    {
      type: 'password.changed',
      userId: user.id,
      actor: by.actor,
      data: { means: by.means },
    },
  ])
}
