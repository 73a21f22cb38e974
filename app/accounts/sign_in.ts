import { verifyCredentials, type PasswordSignIn } from '#app/accounts/credentials'
import { asksOldLogin, bringFromOldLogin } from '#app/accounts/legacy_login'
import { E_INVALID_CREDENTIALS } from '#exceptions/errors'
import User from '#models/user'

/**
 * A sign-in whose password is right; `verified` is null where the old login has to say so.
 */
export type CheckedSignIn = PasswordSignIn & { verified: User | null }

/**
 * Looks into the password of a sign-in, which may happen before its rate limit is counted: nobody else
 * is asked. Throws what `verifyCredentials` does.
 */
export async function checkPassword(signIn: PasswordSignIn): Promise<CheckedSignIn> {
  const { account, password, caller } = signIn
  if (await asksOldLogin(signIn)) return { ...signIn, verified: null }
  return { ...signIn, verified: await verifyCredentials(account, password, caller) }
}

/**
 * Opens something for the user of a sign-in that its rate limit admits, after asking the old login where
 * that has to say who the user is. Of sign-ins at once that all replace a hash by a stronger one, the first
 * writes it, and the others look at what it has written.
 */
export async function signInWith<Result>(
  signIn: CheckedSignIn,
  open: (user: User) => Promise<Result>
): Promise<Result> {
  const { password, caller } = signIn
  const verified = signIn.verified ?? (await bringFromOldLogin(signIn))
  try {
    return await open(verified)
  } catch (error) {
    if (!(error instanceof E_INVALID_CREDENTIALS) || !verified.$dirty.password) throw error
    return open(await verifyCredentials(await User.find(verified.id), password, caller))
  }
}
