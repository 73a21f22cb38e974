import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Caller } from '#app/background/semaphore'
import { inTransaction } from '#app/database/transaction'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import { openSessionUnderLock, type OpenedSession, type SignIn } from '#app/sessions/open'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import User from '#models/user'
import type { Role } from '#models/user'

export type NewUser = {
  email: string
  /** A hash made by `hashPassword`. */
  password: string
  fullName?: string | null
  role?: Role
  externalId?: string | null
}

/**
 * Writes a new user and the event that tells of it, in the caller's transaction. Throws
 * `E_VALIDATION_ERROR` when the e-mail is taken. Without an actor, the user made the account.
 */
export async function createUser(
  trx: TransactionClientContract,
  account: NewUser,
  actor?: Actor
): Promise<User> {
  const user = await User.create(account, { client: trx }).catch((error) => {
    throw isUniqueViolation(error) ? emailTaken() : error
  })
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

function emailTaken() {
  return new E_VALIDATION_ERROR([
    { field: 'email', rule: 'unique', message: 'The email has already been taken' },
  ])
}

/**
 * 23505 is PostgreSQL's SQLSTATE.
 */
function isUniqueViolation(error: { code?: string; message: string }): boolean {
  return error.code === '23505' || /UNIQUE constraint failed/.test(error.message)
}

/**
 * Makes an account and opens its first session, both or neither: a client that lost the answer
 * can sign in, or sign up again. Throws `E_VALIDATION_ERROR` when the e-mail is taken.
 */
export async function signUp(
  account: { email: string; password: string; fullName?: string | null },
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
