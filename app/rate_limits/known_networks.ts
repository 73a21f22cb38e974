import db from '@adonisjs/lucid/services/db'
import { networkOf } from '#app/rate_limits/network'

/**
 * Sessions of a user that are looked at, the newest first.
 */
const LOOKED_AT = 100

/**
 * Whether a user's sessions on record, live or ended, say that they were opened from a network.
 */
export async function usesNetwork(email: string, network: string): Promise<boolean> {
  const opened: { ip: string | null }[] = await db
    .from('sessions')
    .join('users', 'users.id', 'sessions.user_id')
    .where('users.email', email)
    .orderBy('sessions.seq', 'desc')
    .limit(LOOKED_AT)
    .select('sessions.ip')
  return opened.some(({ ip }) => ip !== null && networkOf(ip) === network)
}
