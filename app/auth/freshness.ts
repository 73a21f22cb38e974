import clock from '#app/clock'
import { signInTimeOf, type Session } from '#app/sessions/session'
import { E_REAUTHENTICATION_REQUIRED } from '#exceptions/errors'

/**
 * How old a sign-in may be where an account has no password to ask for, in seconds.
 */
export const FRESH = 10 * 60

/**
 * Refuses a session whose user showed who they are longer ago than `maxAge` seconds: whoever found
 * an unlocked device or stole a token can't do what outlives the session. An API key (null) and a
 * support session have no sign-in and are refused. Throws `E_REAUTHENTICATION_REQUIRED`.
 */
export function requireFresh(session: Session | null, maxAge: number): void {
  const signedIn = session && signInTimeOf(session)
  if (signedIn && clock.millis() - signedIn.getTime() < maxAge * 1000) return
  throw new E_REAUTHENTICATION_REQUIRED(maxAge)
}
