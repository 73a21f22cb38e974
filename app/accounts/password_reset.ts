import logger from '@adonisjs/core/services/logger'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { DateTime } from 'luxon'
import { randomBytes } from 'node:crypto'
import { namesOfLiveKeys } from '#app/api_keys/api_key'
import { BY_EMAIL, byEmail } from '#app/accounts/by_email'
import { BackgroundQueue } from '#app/background/background_queue'
import type { Caller } from '#app/background/semaphore'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import { closeEndedOfUser, endSessions } from '#app/sessions/end'
import { withUserLock } from '#app/sessions/user_lock'
import { moveValidFrom } from '#app/sessions/valid_from'
import { hashToken } from '#app/tokens/token'
import { appUrl } from '#config/app'
import { E_UNAVAILABLE, E_VALIDATION_ERROR } from '#exceptions/errors'
import { notify } from '#mails/mail_queue'
import PasswordResetMail from '#mails/password_reset_mail'
import User from '#models/user'

/**
 * How long a reset link is good, in milliseconds.
 */
export const RESET_LIFETIME = 60 * 60 * 1000

/**
 * No account is mailed more than one link in so long, in milliseconds: whoever asks, its mailbox is
 * not flooded, and it holds few links.
 */
export const RESET_PAUSE = 60 * 1000

/**
 * Makes a new reset token of a user; null when one was made less than a minute ago. Earlier ones
 * stay valid, or a stranger who asks would spoil the link its owner is about to follow. Returns the
 * value, which is mailed and never stored. For use under the user's lock.
 */
export async function mintReset(
  trx: TransactionClientContract,
  userId: number
): Promise<string | null> {
  const token = `opr_${randomBytes(32).toString('base64url')}`
  const now = clock.now()
  const recent = await trx
    .from('password_resets')
    .where('user_id', userId)
    .where('created_at', '>', new Date(now.getTime() - RESET_PAUSE))
    .select('hash')
    .first()
  if (recent) return null
  await trx.table('password_resets').insert({
    hash: hashToken(token),
    user_id: userId,
    created_at: now,
    expires_at: new Date(now.getTime() + RESET_LIFETIME),
  })
  return token
}

/**
 * Whose reset token this is; null when it is none, spent or past its time.
 */
export async function ownerOfReset(token: string): Promise<number | null> {
  const row = await db
    .from('password_resets')
    .where('hash', hashToken(token))
    .where('expires_at', '>', clock.now())
    .select('user_id')
    .first()
  return row?.user_id ?? null
}

/**
 * Spends a reset token: true once, for one of all who try. For use under the user's lock.
 */
export async function spendReset(
  trx: TransactionClientContract,
  userId: number,
  token: string
): Promise<boolean> {
  const deleted: unknown = await trx
    .from('password_resets')
    .where('hash', hashToken(token))
    .where('user_id', userId)
    .where('expires_at', '>', clock.now())
    .delete()
  return Number(deleted) === 1
}

/**
 * Makes the user's reset links worthless: whatever changes the password, disables or deletes the
 * account does so in its transaction.
 */
export async function forgetResets(trx: TransactionClientContract, userId: number): Promise<void> {
  await trx.from('password_resets').where('user_id', userId).delete()
}

/**
 * Reset links to be made and mailed.
 */
export const resetRequests = new BackgroundQueue({ atOnce: 1, waiting: 1_000 }, (error) => {
  const { code, name } = (error ?? {}) as { code?: string; name?: string }
  logger.warn({ code, name }, 'A reset link could not be made.')
})

/**
 * No user has this id. An unknown e-mail goes the same way with it, so that the load of one
 * request tells the next one nothing.
 */
const NOBODY = 0

/**
 * Takes a request for a reset link. One read, the same for known and unknown e-mails, shows that
 * the database answers; the rest happens behind the answer, whose time so tells nothing.
 *
 * Throws `E_UNAVAILABLE` when too many wait, and whatever the database throws.
 */
export async function forgotPassword(email: string): Promise<void> {
  if (resetRequests.isFull) throw new E_UNAVAILABLE()
  const known = await rows<{ id: number }>(
    db.connection('lookup'),
    `SELECT id FROM users WHERE ${BY_EMAIL}`,
    byEmail(email) ?? ['', '', '']
  )
  const userId: number | null = known[0]?.id ?? null
  resetRequests.add(async () => {
    await mailResetLink(userId ?? NOBODY)
  })
}

/**
 * A disabled account gets no link. The link leads to `APP_URL`, whatever the request said of
 * hosts, and carries the token behind `#`, which browsers send to no server, so that it reaches no
 * log on the way.
 */
async function mailResetLink(userId: number): Promise<void> {
  const made = await withUserLock(userId, async (trx, user) => {
    if (!user || user.isDisabled) return null
    const token = await mintReset(trx, user.id)
    if (token === null) return null
    await appendEvents(trx, [
      { type: 'password.reset_requested', userId: user.id, actor: 'system' },
    ])
    return { user, token, keys: await namesOfLiveKeys(trx, user) }
  })
  if (!made) return
  const link = `${appUrl}/reset-password#token=${made.token}`
  notify(made.user, new PasswordResetMail(link, made.keys))
}

/**
 * Sets a new password by a reset token, which also verifies the e-mail, and ends all sessions of its user (`password_reset`). Of
 * all who use one token, at whatever moment, one succeeds. Returns how many API keys live on.
 *
 * Throws `E_VALIDATION_ERROR` when the token is unknown, spent or past its time, or its account is
 * disabled: the same answer for each.
 */
export async function resetPassword(
  token: string,
  password: string,
  caller?: Caller
): Promise<number> {
  const userId = await ownerOfReset(token)
  if (userId === null) throw invalidLink()
  const owner = await User.find(userId)
  await refuseGuessable(password, owner?.email ?? null)
  const hashed = await hashPassword(password, caller)

  return withUserLock(userId, async (trx, user) => {
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
    const keys = await namesOfLiveKeys(trx, user)
    return keys.length
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

/**
 * Writes a user's new password, a hash made by `hashPassword`, and makes reset links that are out
 * worthless. For use under the user's lock, beside what ends the sessions.
 */
export async function setPassword(
  trx: TransactionClientContract,
  user: User,
  hashed: string,
  by: { actor: Actor; means: 'change' | 'reset' }
): Promise<void> {
  user.password = hashed
  await user.useTransaction(trx).save()
  await forgetResets(trx, user.id)
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
