import type { Caller } from '#app/background/semaphore'
import { inTransaction } from '#app/database/transaction'
import { createUser } from '#app/accounts/create_user'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import type User from '#models/user'
import { openSessionUnderLock, type OpenedSession, type SignIn } from '#app/sessions/open'

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
