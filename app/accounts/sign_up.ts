import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { DateTime } from 'luxon'
import type { Caller } from '#app/background/semaphore'
import { awaitsVerification, readAccount } from '#app/accounts/credentials'
import { writeVerifyMail } from '#app/accounts/email_verification'
import { mailLink } from '#app/accounts/mailed_links'
import { mintResetLink } from '#app/accounts/password_reset'
import { isUniqueViolation } from '#app/database/sql'
import { inTransaction } from '#app/database/transaction'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import { openSessionUnderLock, type OpenedSession, type SignIn } from '#app/sessions/open'
import { E_EMAIL_TAKEN } from '#exceptions/errors'
import { queueMail } from '#mails/outbox'
import User from '#models/user'
import type { Role } from '#models/user'

export type NewUser = {
  email?: string | null
  /** A hash made by `hashPassword`. */
  password?: string | null
  fullName?: string | null
  role?: Role
  externalId?: string | null
  /** Refuses sign-ins by password until the e-mail is verified, where that is required. */
  mustVerifyEmail?: boolean
  emailVerifiedAt?: DateTime | null
  sessionLimit?: number | null
  disabledAt?: DateTime | null
}

/**
 * Writes a new user and the event that tells of it, in the caller's transaction. Throws
 * `E_EMAIL_TAKEN` when the e-mail is taken. Without an actor, the user made the account.
 */
export async function createUser(
  trx: TransactionClientContract,
  account: NewUser,
  actor?: Actor
): Promise<User> {
  return writeUser(trx, account, actor).catch((error) => {
    throw isUniqueViolation(error) ? new E_EMAIL_TAKEN() : error
  })
}

/**
 * The same, which throws what the database throws where the e-mail or the external id is taken
 * (`isUniqueViolation`).
 */
export async function writeUser(
  trx: TransactionClientContract,
  account: NewUser,
  actor?: Actor
): Promise<User> {
  const user = await User.create(account, { client: trx })
  await appendEvents(trx, [
    {
      type: 'user.created',
      userId: user.id,
      actor: actor ?? `user:${user.id}`,
      data: { role: user.role },
    },
  ])
  return user
}

type SignUp = { email: string; password: string; fullName?: string | null }

/**
 * Makes an account and opens its first session, both or neither: a client that lost the answer
 * can sign in, or sign up again. Throws `E_EMAIL_TAKEN` when the e-mail is taken.
 */
export async function signUp(
  account: SignUp,
  signIn: SignIn,
  caller?: Caller
): Promise<{ user: User; opened: OpenedSession }> {
  await refuseGuessable(account.password, account.email)
  const password = await hashPassword(account.password, caller)
  return inTransaction(async (trx) => {
    const user = await createUser(trx, { ...account, password })
    const opened = await openSessionUnderLock(trx, user, { ...signIn, atSignUp: true })
    return { user, opened }
  })
}

/**
 * Makes an account whose e-mail must be verified before its first sign-in, and mails the link. For a
 * taken e-mail it does as much work and ends the same way, so whoever asks learns nothing: the mail
 * then tells the account's owner, with a link to reset the password. That link, and not one that
 * verifies: the account may be one that a stranger made with a password of their own. While it awaits
 * its verification, nobody can tell whose it is, so it loses password and links: the mailbox decides.
 */
export async function signUpToVerify(account: SignUp, caller?: Caller): Promise<void> {
  await refuseGuessable(account.password, account.email)
  const password = await hashPassword(account.password, caller)
  const made = await inTransaction(async (trx) => {
    const user = await createUser(trx, { ...account, password, mustVerifyEmail: true })
    const letter = await writeVerifyMail(trx, user)
    if (letter) await queueMail(trx, { userId: user.id }, letter)
    return true
  }).catch((error) => {
    if (error instanceof E_EMAIL_TAKEN) return false
    throw error
  })
  if (!made) await tellOwner(account.email)
}

async function tellOwner(email: string): Promise<void> {
  const owner = await readAccount(email)
  if (!owner) return
  await mailLink(owner.id, async (trx, user) => {
    const isDisputed = awaitsVerification(user)
    if (isDisputed) await forgetSignUp(trx, user)
    const link = await mintResetLink(trx, user)
    return link && { kind: 'sign_up_again', link, isDisputed }
  })
}

/**
 * Takes from an account what whoever signed up first left in it: the password, which no later link may
 * bring to life either, and the links that verify. For use under the user's lock.
 */
export async function forgetSignUp(trx: TransactionClientContract, user: User): Promise<void> {
  user.password = null
  await user.useTransaction(trx).save()
  await trx.from('password_resets').where({ user_id: user.id, purpose: 'verify' }).delete()
}
