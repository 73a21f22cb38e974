import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { DateTime } from 'luxon'
import { withManagedUser } from '#app/accounts/administrator'
import { readAccount } from '#app/accounts/credentials'
import { rememberLeftAddress } from '#app/accounts/left_addresses'
import { invalidLink, mintLink, requestLink, useLink } from '#app/accounts/mailed_links'
import clock from '#app/clock'
import { isUniqueViolation, rows } from '#app/database/sql'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { withLiveSession } from '#app/sessions/with_live_session'
import type { Session } from '#app/sessions/session'
import { hashToken } from '#app/tokens/token'
import { E_EMAIL_TAKEN, E_TOO_MANY_REQUESTS } from '#exceptions/errors'
import { tokenOfLink } from '#mails/link'
import { queueMail, type Letter } from '#mails/outbox'
import type User from '#models/user'

/**
 * Takes a request to verify the e-mail of an account, which does nothing for one that is verified.
 * Throws `E_UNAVAILABLE` when too many wait.
 */
export async function askToVerify(email: string): Promise<void> {
  await requestLink(email, async (trx, user) =>
    user.isEmailVerified ? null : writeVerifyMail(trx, user)
  )
}

/**
 * What a mail tells by which a user verifies their address; null when one was made less than a minute ago. For
 * use under the user's lock.
 */
export async function writeVerifyMail(
  trx: TransactionClientContract,
  user: User
): Promise<Letter | null> {
  const link = await mintLink(trx, user, 'verify')
  if (link === null) return null
  await appendEvents(trx, [{ type: 'email.verify_requested', userId: user.id, actor: 'system' }])
  return { kind: 'confirm_email', link }
}

/**
 * Asks for another address, for the user who speaks through `acting`: it is the account's once its
 * link is followed. The old address is told. An address that another account has gets no link, and
 * nothing that the user sees tells them so. Links of an earlier change die, and this one dies with the
 * session that asked: who signs a stranger's session out has undone what it began.
 *
 * Throws `E_TOO_MANY_REQUESTS` less than a minute after the last change was asked for, and
 * `E_SESSION_ENDED` when `acting` ended meanwhile. Then nothing has changed.
 */
export async function askToChangeEmail(acting: Session, email: string): Promise<void> {
  const holder = await readAccount(email)
  await withLiveSession(acting, async (trx, owner) => {
    const link = await mintLink(trx, owner, 'change', { email, sessionId: acting.id })
    if (link === null) throw new E_TOO_MANY_REQUESTS(60)
    await trx
      .from('password_resets')
      .where({ user_id: owner.id, purpose: 'change' })
      .whereNot('hash', hashToken(tokenOfLink(link)))
      .delete()
    await appendEvents(trx, [
      { type: 'email.change_requested', userId: owner.id, actor: `user:${owner.id}` },
    ])
    const to = { userId: owner.id }
    await queueMail(trx, to, { kind: 'email_change', at: clock.now() })
    if (!holder || holder.id === owner.id) {
      await queueMail(trx, { ...to, email }, { kind: 'confirm_email', link })
    }
  })
}

/**
 * Follows the link of a mail: verifies the account's address, or gives it the new one that the link
 * was mailed to.
 *
 * Throws `E_VALIDATION_ERROR` when the link does not work, or another account has the new address by
 * now: the same answer for every reason.
 */
export async function confirmEmail(token: string): Promise<void> {
  await useLink(token, ['verify', 'change'], async (trx, user, { purpose, email }) => {
    const actor = `user:${user.id}` as const
    if (purpose === 'change') await setEmail(trx, user, { email: email!, verified: true, actor })
    else await verifyEmail(trx, user, actor)
  }).catch((error) => {
    throw isUniqueViolation(error) ? invalidLink('change') : error
  })
}

/**
 * Gives a user the address, in its normal form, that an operator says: nobody has shown yet that it is
 * theirs. Returns the user as it stands then; null when there is no such user. Throws `E_EMAIL_TAKEN`.
 */
export async function changeEmail(
  userId: number,
  email: string,
  order: { actor: Actor; note?: string | null }
): Promise<User | null> {
  return withManagedUser(userId, order.actor, async (trx, user) => {
    if (user.email !== email) await setEmail(trx, user, { email, verified: false, ...order })
    return user
  }).catch((error) => {
    throw isUniqueViolation(error) ? new E_EMAIL_TAKEN() : error
  })
}

/**
 * Marks the address of an account as verified. For use under the user's lock.
 */
export async function verifyEmail(trx: TransactionClientContract, user: User, actor: Actor) {
  if (user.isEmailVerified) return
  user.emailVerifiedAt = DateTime.fromJSDate(clock.now())
  await user.useTransaction(trx).save()
  await appendEvents(trx, [{ type: 'email.verified', userId: user.id, actor }])
}

/**
 * Writes another address of an account. Every link that is out dies: those to the old
 * address, and that of a change of address under way. For use under the user's lock.
 */
export async function setEmail(
  trx: TransactionClientContract,
  user: User,
  change: { email: string | null; verified: boolean; actor: Actor; note?: string | null }
): Promise<void> {
  /** An account that was verified once is not closed, or pruned, for the address an operator gives it. */
  if (user.isEmailVerified) user.mustVerifyEmail = false
  await rememberLeftAddress(trx, user.email)
  user.email = change.email
  user.emailVerifiedAt = change.verified ? DateTime.fromJSDate(clock.now()) : null
  await user.useTransaction(trx).save()
  await rows(trx, 'DELETE FROM password_resets WHERE user_id = ?', [user.id])
  await appendEvents(trx, [
    {
      type: 'email.changed',
      userId: user.id,
      actor: change.actor,
      data: { verified: change.verified, note: change.note ?? null },
    },
  ])
}
