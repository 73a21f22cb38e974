import { noteFirstUse, noteUse } from '#app/token_verification/token_use'
import type { TokenRecord } from '#app/token_verification/token_lookup'
import { verifyToken } from '#app/token_verification/verify_token'
import { idleAt } from '#app/sessions/liveness'
import { issuer } from '#app/oauth/metadata'

/**
 * What an introspection says of a token (RFC 7662 §2.2). Instants are in seconds of the Unix epoch.
 */
export type Introspection =
  | { active: false }
  | {
      active: true
      iss: string
      sub: string
      /** How another system names this user. */
      external_id?: string
      /** The e-mail, where there is one. */
      username?: string
      /** False: nobody proved to hold that address, and it may be a look-alike. */
      email_verified: boolean
      iat?: number
      exp?: number
      /** When the user last showed who they are; an API key has no sign-in. */
      auth_time?: number
      /** The session's id; an API key has none. */
      sid?: string
      scope?: string
      token_type?: 'Bearer' | 'DPoP'
      /** The key that the token is bound to, RFC 9449 §6.2. */
      cnf?: { jkt: string }
    }

/**
 * Whether a token may speak for its user now, and for whom. Asked of the database like any check.
 * The session counts as used where the service says that this is a use (`used`); else no idle time
 * moves. That the token itself is in use is written either way: what a service was told is not taken
 * back by a late refresh.
 *
 * Every dead token is `{ active: false }` and nothing else (§2.2), so that an answer tells nothing
 * of what it once was. A refresh token is told without `token_type` and `scope`: it opens nothing
 * but its renewal, and a service that asks for either can't take it for an access token.
 */
export async function introspect(value: string, used: boolean): Promise<Introspection> {
  const verdict = await verifyToken(value, ['access', 'refresh', 'api_key'])
  if (verdict.type !== 'live') return { active: false }
  const { token } = verdict
  const noted = used && token.kind !== 'refresh' ? noteUse(token) : noteFirstUse(token)
  const isStillValid = noted === true || (await noted)
  return isStillValid ? describe(token) : { active: false }
}

function describe({ kind, abilities, createdAt, expiresAt, session, user }: TokenRecord) {
  const bound = session?.keyThumbprint
  const ends = [expiresAt, session && idleAt(session)].filter((end) => end !== null)
  return {
    active: true,
    iss: issuer,
    sub: String(user.id),
    ...(user.externalId !== null && { external_id: user.externalId }),
    ...(user.email !== null && { username: user.email }),
    email_verified: user.isEmailVerified,
    iat: inSeconds(createdAt),
    ...(ends.length > 0 && { exp: Math.min(...ends.map(inSeconds)) }),
    ...(session && { auth_time: inSeconds(session.authenticatedAt), sid: session.id }),
    ...(kind !== 'refresh' && {
      scope: abilities.join(' '),
      token_type: bound ? ('DPoP' as const) : ('Bearer' as const),
    }),
    ...(bound && { cnf: { jkt: bound } }),
  } satisfies Introspection
}

/**
 * Rounded down, so that nothing is said to live a moment longer than it does.
 */
function inSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000)
}
