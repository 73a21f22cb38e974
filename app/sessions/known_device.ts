import db from '@adonisjs/lucid/services/db'
import { userAgentFamily } from '#app/devices/device'
import { networkOf } from '#app/network'
import type { StoredSession } from '#app/sessions/session'

/**
 * How many earlier sessions a sign-in without a device id is compared with, latest first.
 */
const COMPARED = 1_000

/**
 * Whether the user has signed in before on the device of this session, as far as sessions are on
 * record. A device that sends an id is known by it, which only it and its user can know. One
 * without an id is known where one earlier session has its name, platform and family of user agent,
 * and came from the same network: whoever copies what a client says still comes from elsewhere.
 */
export async function isKnownDevice(
  session: Pick<StoredSession, 'userId' | 'seq' | 'device' | 'ip' | 'userAgent'>
): Promise<boolean> {
  const { userId, seq, device, ip, userAgent } = session
  const earlier = db
    .from('sessions')
    .where('user_id', userId)
    .where('seq', '<', seq)
    .whereNot('kind', 'support')
  if (device.id !== null) {
    return (await earlier.where('device_id', device.id).select('seq').first()) !== null
  }
  if (ip === null) return false
  const alike = await earlier
    .where({ device_name: device.name, platform: device.platform })
    .whereNotNull('ip')
    .select('ip', 'user_agent')
    .orderBy('seq', 'desc')
    .limit(COMPARED)
  const family = userAgentFamily(userAgent)
  const network = networkOf(ip)
  return alike.some(
    (row) => userAgentFamily(row.user_agent) === family && networkOf(row.ip) === network
  )
}
