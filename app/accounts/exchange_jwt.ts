import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { awaitsVerification } from '#app/accounts/credentials'
import { findUserBy } from '#app/accounts/find_users'
import { readLegacyJwt, type LegacyClaims } from '#app/accounts/legacy_jwt'
import legacyJwtConfig from '#config/legacy_jwt'
import { E_ACCOUNT_DISABLED, E_INVALID_CREDENTIALS } from '#exceptions/errors'
import type User from '#models/user'
import { rows } from '#app/database/sql'
import { openSessionUnderLock, type OpenedSession, type SignIn } from '#app/sessions/open'
import { validFromOf } from '#app/sessions/valid_from'
import { withUserLock } from '#app/sessions/user_lock'

const REFUSED = 'The old token is not accepted. Please sign in.'

/**
 * Turns a JWT of the old system into a session, once, under the session policy like any sign-in.
 *
 * Throws `E_INVALID_CREDENTIALS` for a token that is not believed, was exchanged before, is older
 * than a force logout or a password change of its user, comes after `LEGACY_JWT_UNTIL`, or names an
 * account whose e-mail must be verified first: its password may be a stranger's, and would live on;
 * `E_ACCOUNT_DISABLED`; and what `openSession` throws. A refused sign-in does not spend the token.
 */
export async function exchangeJwt(
  jwt: string,
  signIn: SignIn
): Promise<{ user: User; opened: OpenedSession }> {
  const { until, user: by } = legacyJwtConfig
  if (!until || !by || clock.now() >= until) throw new E_INVALID_CREDENTIALS(REFUSED)

  const claims = await readLegacyJwt(jwt)
  const known = claims && (await findUserBy(by, claims.user))
  if (!claims || !known) throw new E_INVALID_CREDENTIALS(REFUSED)

  return withUserLock(known.id, async (trx, user) => {
    if (!user) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
    if (awaitsVerification(user)) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (await isOverruled(trx, user, claims.issuedAt)) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (!(await spend(trx, user, claims))) throw new E_INVALID_CREDENTIALS(REFUSED)

    /** Whoever holds an old token has not shown again who they are: it says when they did. */
    const authenticatedAt = claims.authenticatedAt ?? new Date(0)
    const opened = await openSessionUnderLock(trx, user, { ...signIn, authenticatedAt })
    return { user, opened }
  })
}

/**
 * Marks the token as exchanged. False when it was: the unique key decides between two at once.
 */
async function spend(
  trx: TransactionClientContract,
  user: User,
  { hash }: LegacyClaims
): Promise<boolean> {
  const inserted = await rows(
    trx,
    'INSERT INTO exchanged_jwts (hash, user_id, exchanged_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING RETURNING hash',
    [hash, user.id, clock.now()]
  )
  return inserted.length === 1
}

/**
 * Whether the token was issued before the user's valid-from. `iat` counts whole seconds, so a token
 * of the same second is taken for the older one; one that does not say when is the oldest.
 */
async function isOverruled(
  trx: TransactionClientContract,
  user: User,
  issuedAt: Date | null
): Promise<boolean> {
  const validFrom = await validFromOf(trx, user.id)
  return validFrom !== null && validFrom >= (issuedAt ?? new Date(0))
}
