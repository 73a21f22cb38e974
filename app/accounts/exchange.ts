import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { awaitsVerification } from '#app/accounts/credentials'
import { findUserBy } from '#app/accounts/find_users'
import { readLegacyJwt } from '#app/accounts/legacy_jwt'
import { readLegacyToken } from '#app/accounts/legacy_tokens'
import { E_ACCOUNT_DISABLED, E_INVALID_CREDENTIALS } from '#exceptions/errors'
import type User from '#models/user'
import { openSessionUnderLock, type OpenedSession, type SignIn } from '#app/sessions/open'
import { validFromOf } from '#app/sessions/valid_from'
import { withUserLock } from '#app/sessions/user_lock'

const REFUSED = 'The old token is not accepted. Please sign in.'

/**
 * How far ahead the clock of the old system may be, in milliseconds.
 */
const CLOCK_TOLERANCE_MS = 5_000

/**
 * Turns a JWT or an opaque token of the old system into a session, once, under the session policy
 * like any sign-in.
 *
 * Throws `E_INVALID_CREDENTIALS` for one that is not believed, was exchanged before, is older than a
 * force logout or a password change of its user, comes after the day on which the door closed, or names
 * an account whose e-mail must be verified first: its password may be a stranger's, and would live on;
 * `E_ACCOUNT_DISABLED`; `E_UNAVAILABLE` while the old system can't be asked; and what `openSession`
 * throws. A refused sign-in does not spend it.
 */
export async function exchange(
  presented: { jwt: string } | { token: string },
  signIn: SignIn
): Promise<{ user: User; opened: OpenedSession }> {
  const credential =
    'jwt' in presented ? await readLegacyJwt(presented.jwt) : await readLegacyToken(presented.token)
  if (!credential || isOfLater(credential.issuedAt)) throw new E_INVALID_CREDENTIALS(REFUSED)
  const known = await findUserBy(credential.by, credential.user)
  if (!known) throw new E_INVALID_CREDENTIALS(REFUSED)

  return withUserLock(known.id, async (trx, user) => {
    if (!user) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
    if (awaitsVerification(user)) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (await isOverruled(trx, user, credential.issuedAt)) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (!(await credential.spend(trx, user))) throw new E_INVALID_CREDENTIALS(REFUSED)

    /** Whoever holds an old token has not shown again who they are: it says when they did. */
    const authenticatedAt = credential.authenticatedAt ?? new Date(0)
    const opened = await openSessionUnderLock(trx, user, { ...signIn, authenticatedAt })
    return { user, opened }
  })
}

/**
 * Whether it says that it was issued later than now: it would pass a force logout of this moment.
 */
function isOfLater(issuedAt: Date | null): boolean {
  return issuedAt !== null && issuedAt.getTime() > clock.millis() + CLOCK_TOLERANCE_MS
}

/**
 * Whether it was issued before the user's valid-from. `iat` counts whole seconds, so a token of the
 * same second is taken for the older one; one that does not say when is the oldest.
 */
async function isOverruled(
  trx: TransactionClientContract,
  user: User,
  issuedAt: Date | null
): Promise<boolean> {
  const validFrom = await validFromOf(trx, user.id)
  return validFrom !== null && validFrom >= (issuedAt ?? new Date(0))
}
