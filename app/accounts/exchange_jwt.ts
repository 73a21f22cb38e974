import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { findUser } from '#app/accounts/find_user'
import { readLegacyJwt, type LegacyClaims } from '#app/accounts/legacy_jwt'
import legacyJwtConfig from '#config/legacy_jwt'
import { E_ACCOUNT_DISABLED, E_INVALID_CREDENTIALS } from '#exceptions/errors'
import type User from '#models/user'
import { rows } from '#app/database/sql'
import { openSessionUnderLock, type OpenedSession, type SignIn } from '#app/sessions/open'
import { withUserLock } from '#app/sessions/user_lock'

const REFUSED = 'The old token is not accepted. Please sign in.'

/**
 * What ends the old system's tokens with the sessions: whoever was forced out, or changed the
 * password, must not come back by an older token.
 */
const ENDS_OLD_TOKENS = [
  'force_logout',
  'password.changed',
  'password.reset',
  'user.disabled',
] as const

/**
 * Turns a JWT of the old system into a session, once, under the session policy like any sign-in.
 *
 * Throws `E_INVALID_CREDENTIALS` for a token that is not believed, was exchanged before, is older
 * than a force logout or a password change of its user, or comes after `LEGACY_JWT_UNTIL`;
 * `E_ACCOUNT_DISABLED`; and what `openSession` throws. A refused sign-in does not spend the token.
 */
export async function exchangeJwt(
  jwt: string,
  signIn: SignIn
): Promise<{ user: User; opened: OpenedSession }> {
  const { until } = legacyJwtConfig
  if (!until || clock.now() >= until) throw new E_INVALID_CREDENTIALS(REFUSED)

  const claims = await readLegacyJwt(jwt)
  const known = claims && (await findUser(claims.user))
  if (!claims || !known) throw new E_INVALID_CREDENTIALS(REFUSED)

  return withUserLock(known.id, async (trx, user) => {
    if (!user) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (user.isDisabled) throw new E_ACCOUNT_DISABLED()
    if (await isOverruled(trx, user, claims.issuedAt)) throw new E_INVALID_CREDENTIALS(REFUSED)
    if (!(await spend(trx, user, claims))) throw new E_INVALID_CREDENTIALS(REFUSED)

    const opened = await openSessionUnderLock(trx, user, signIn)
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
 * Whether the user, or everyone, was forced out since the token was issued. `iat` counts whole
 * seconds, so a token of the same second is taken for the older.
 */
async function isOverruled(
  trx: TransactionClientContract,
  user: User,
  issuedAt: Date | null
): Promise<boolean> {
  const event = await trx
    .from('session_events')
    .whereIn('type', [...ENDS_OLD_TOKENS])
    .where((scope) => scope.where('user_id', user.id).orWhereNull('user_id'))
    .where('occurred_at', '>=', issuedAt ?? new Date(0))
    .first()
  return event !== null
}
