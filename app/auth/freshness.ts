import string from '@adonisjs/core/helpers/string'
import clock from '#app/clock'
import type { Session } from '#app/sessions/session'
import { E_REAUTHENTICATION_REQUIRED } from '#exceptions/errors'

/**
 * Refuses a session whose user showed who they are longer ago than `maxAge` (`'10m'`): whoever found
 * an unlocked device or stole a token can't do what lasts. Throws `E_REAUTHENTICATION_REQUIRED`.
 */
export function requireFresh(session: Session, maxAge: string): void {
  const allowed = string.milliseconds.parse(maxAge)
  if (clock.millis() - session.authenticatedAt.getTime() < allowed) return
  throw new E_REAUTHENTICATION_REQUIRED(allowed / 1000)
}
