import clock from '#app/clock'
import type { Session } from '#app/sessions/session'
import { E_REAUTHENTICATION_REQUIRED } from '#exceptions/errors'

/**
 * How old a sign-in may be where an account has no password to ask for, in seconds.
 */
export const FRESH = 10 * 60

/**
 * Refuses a session whose user showed who they are longer ago than `maxAge` seconds: whoever found
 * an unlocked device or stole a token can't do what outlives the session. An API key (null) has no
 * sign-in and is refused. Throws `E_REAUTHENTICATION_REQUIRED`.
 */
export function requireFresh(session: Session | null, maxAge: number): void {
  if (session && clock.millis() - session.authenticatedAt.getTime() < maxAge * 1000) return
  throw new E_REAUTHENTICATION_REQUIRED(maxAge)
}
