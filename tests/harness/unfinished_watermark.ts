import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { idleTimeout } from '#config/sessions'
import { backfillWatermarks } from '#app/watermarks/backfill'

/**
 * Leaves a force logout of a user, or of everyone, as a process does that dies behind its commit:
 * all sessions are dead, and none of their ends is written.
 */
export async function leaveUnfinished(userId: number | null = null): Promise<Date> {
  const at = clock.now()
  const { highest } = await db.from('sessions').max('seq as highest').firstOrFail()
  await db.table('cutoffs').insert({
    user_id: userId,
    session_seq: Number(highest ?? 0),
    api_key_id: 0,
    reason: 'forced',
    actor: 'command:force:logout',
    idle_timeout: idleTimeout(),
    created_at: at,
  })
  if (userId !== null) {
    await db
      .from('users')
      .where('id', userId)
      .update({ cut_session_seq: Number(highest) })
  }
  return at
}

/**
 * Writes the ends that are left, as a server does in the background.
 */
export async function finish(): Promise<void> {
  await backfillWatermarks()
}
