import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { lastSeen } from '#app/sessions/last_seen'
import { aliveSql } from '#app/sessions/liveness'
import { SESSION_COLUMNS, toSession, type StoredSession } from '#app/sessions/session'
import type User from '#models/user'

/**
 * A user's live sessions, latest activity first; ties go by age, then by number, the same on every
 * database. Activity that this node has yet to write is shown too.
 */
export async function liveSessionsOf(
  client: QueryClientContract,
  user: Pick<User, 'id'>
): Promise<StoredSession[]> {
  const alive = aliveSql(clock.now())
  const found = await client
    .from('sessions')
    .where('user_id', user.id)
    .whereRaw(alive.sql, alive.bindings)
    .select(...SESSION_COLUMNS)
  const sessions = found.map(toSession)
  for (const session of sessions)
    session.lastSeenAt = lastSeen.latest(session.id, session.lastSeenAt)
  return sessions.sort(byLatestActivity)
}

/**
 * Orders sessions by when they were last seen, latest first.
 */
export function byLatestActivity(a: StoredSession, b: StoredSession): number {
  return (
    b.lastSeenAt.getTime() - a.lastSeenAt.getTime() ||
    b.createdAt.getTime() - a.createdAt.getTime() ||
    b.seq - a.seq
  )
}
