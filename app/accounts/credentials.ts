import db from '@adonisjs/lucid/services/db'
import { BY_EMAIL, byEmail } from '#models/email_address'
import type { Caller } from '#app/background/semaphore'
import { hashPassword, isOutdated, verifyPassword } from '#app/passwords/passwords'
import accountsConfig from '#config/accounts'
import {
  E_ACCOUNT_DISABLED,
  E_EMAIL_NOT_VERIFIED,
  E_INVALID_CREDENTIALS,
  E_SESSION_ENDED,
} from '#exceptions/errors'
import User from '#models/user'
import { SELECT_USERS, toUser, type UserRow } from '#models/user_row'
import { rows } from '#app/database/sql'
import type { Session } from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'

/**
 * The account of an e-mail; null when there is none. Read on the connection of lookups, which waits
 * for no sign-in that is being written; whether the password is still the same is seen again under
 * the lock of the user (#app/sessions/open).
 */
export async function readAccount(email: string): Promise<User | null> {
  const bindings = byEmail(email)
  if (!bindings) return null
  const lookup = db.connection('lookup')
  const [row] = await rows<UserRow>(lookup, `${SELECT_USERS} WHERE ${BY_EMAIL}`, bindings)
  return row ? toUser(row) : null
}

/**
 * A sign-in by password: what the person typed, and the account of that e-mail, if there is one.
 */
export type PasswordSignIn = {
  email: string
  password: string
  account: User | null
  caller?: Caller
}

/**
 * Whether nobody may sign in to the account yet: a stranger may have made it, until the e-mail is
 * verified.
 */
export function awaitsVerification(user: User): boolean {
  return accountsConfig.verifiesEmail && user.mustVerifyEmail === true && !user.isEmailVerified
}

/**
 * The user of an account, whose password this is. No account and a wrong password cost the same
 * work and throw the same `E_INVALID_CREDENTIALS`; the right password of a disabled account throws
 * `E_ACCOUNT_DISABLED`, that of one whose e-mail must be verified first `E_EMAIL_NOT_VERIFIED`.
 */
export async function verifyCredentials(
  user: User | null,
  password: string,
  caller?: Caller
): Promise<User> {
  const matches = await verifyPassword(user?.password ?? null, password, caller)
  if (!user || !matches) throw new E_INVALID_CREDENTIALS()
  refuseClosed(user)
  /** Unsaved: the sign-in writes it in its own commit, if the password is still this one then. */
  if (isOutdated(user.password!)) user.password = await hashPassword(password, caller)
  return user
}

/**
 * Throws what `verifyCredentials` does for an account that nobody may sign in to, whoever they are.
 */
export function refuseClosed(user: User): void {
  if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
  if (awaitsVerification(user)) throw new E_EMAIL_NOT_VERIFIED()
}

/**
 * The user who speaks through `acting` and has just given their password once more, as it stood
 * when that was compared. Throws `E_INVALID_CREDENTIALS` when it is wrong, and `E_SESSION_ENDED`
 * when the account is gone.
 */
export async function confirmPassword(
  acting: Session,
  password: string,
  caller?: Caller
): Promise<User> {
  const user = await User.find(acting.userId)
  if (!user) throw new E_SESSION_ENDED(await endOfSession(db.connection(), acting.id))
  const matches = await verifyPassword(user.password ?? null, password, caller)
  if (!matches) throw new E_INVALID_CREDENTIALS()
  return user
}
