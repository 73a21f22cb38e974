import db from '@adonisjs/lucid/services/db'
import { endSession } from '#app/sessions/end'
import { SESSION_COLUMNS, toSession, type Session } from '#app/sessions/session'

/**
 * A shorter id could be guessed, and would end a stranger's session.
 */
const LEAST_ID_LENGTH = 22

/**
 * Ends the sessions that others left on the shared device of this one, known by a long `device.id`:
 * all but the newest. For use after the commit that has opened the session, and before it is
 * answered, in transactions of their own: two users are never locked at once. Of two people who sign
 * in there at one moment, whoever commits later sees the other, and both agree on who stays.
 */
export async function takeOverSharedDevice({ device }: Session): Promise<void> {
  if (device.id === null || device.id.length < LEAST_ID_LENGTH) return
  const found = await db
    .from('sessions')
    .where({ kind: 'shared', device_id: device.id })
    .whereNull('ended_at')
    .select(...SESSION_COLUMNS)
    .orderBy('seq', 'desc')
  const [newest, ...left] = found.map(toSession)
  for (const session of left) {
    /** No user is named as the actor: the one who left learns nothing of the one who came. */
    await endSession(session, { reason: 'replaced', actor: 'system', supersededBy: newest.id })
  }
}
