import { hashPassword, isOutdated, verifyPassword } from '#accounts/passwords'
import { E_ACCOUNT_DISABLED, E_INVALID_CREDENTIALS } from '#exceptions/errors'
import User from '#models/user'

/**
 * Begins to read the account of an e-mail, so that it is there once the attempt may begin. What
 * fails is thrown to whoever waits for it.
 */
export function lookUpAccount(email: string): Promise<User | null> {
  const account = User.findBy('email', email)
  account.catch(() => {})
  return account
}

/**
 * The user behind an e-mail and a password. Unknown e-mail and wrong password cost the same work
 * and throw the same `E_INVALID_CREDENTIALS`; the right password of a disabled account throws
 * `E_ACCOUNT_DISABLED`. `account` is what `lookUpAccount` gave, where it was called already.
 */
export async function verifyCredentials(
  email: string,
  password: string,
  account = lookUpAccount(email)
): Promise<User> {
  const user = await account
  const matches = await verifyPassword(user?.password ?? null, password)
  if (!user || !matches) throw new E_INVALID_CREDENTIALS()
  if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
  if (isOutdated(user.password)) await strengthen(user, password)
  return user
}

/**
 * Hashes the password again when the parameters have grown, unless it changed meanwhile: then the
 * sign-in finds out under its lock.
 */
async function strengthen(user: User, password: string): Promise<void> {
  const stronger = await hashPassword(password)
  const [changed] = await User.query()
    .where('id', user.id)
    .where('password', user.password)
    .update({ password: stronger })
  if (changed === 1) user.password = stronger
  else {
    await user.refresh()
    if (!(await verifyPassword(user.password, password))) throw new E_INVALID_CREDENTIALS()
  }
}
