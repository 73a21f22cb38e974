import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type User from '#models/user'
import { cutoffFor, cutoffOf } from '#sessions/cutoffs'
import { endCutOff } from '#sessions/end_cut_off'
import { endSessions } from '#sessions/end_sessions'
import { lastSeen } from '#sessions/last_seen'
import { SESSION_COLUMNS, toSession, type Session } from '#sessions/session'
import { lapseOf } from '#sessions/standing'

/**
 * How many cut-off sessions a sign-in settles on its way. They are dead already; a force logout
 * of very many ends the rest in its own time.
 */
const SETTLED_AT_ONCE = 100

/**
 * A user's live sessions, newest activity first; ties go by age, then by number, the same on every
 * database.
 */
export async function liveSessionsOf(client: QueryClientContract, user: User): Promise<Session[]> {
  const now = clock.now()
  const cutSeq = await cutoffFor(client, user)
  const sessions = await unendedSessions(client, user.id, cutSeq)
  return sessions.filter((session) => !lapseOf(session, cutSeq, now))
}

/**
 * The same, and first writes the end of those that time or a cut-off has ended, each with its own
 * reason, so that a newcomer finds their places free. For use under the user's lock.
 */
export async function settleSessionsOf(
  trx: TransactionClientContract,
  user: User
): Promise<Session[]> {
  const now = clock.now()
  const cutSeq = await cutoffFor(trx, user)
  if (cutSeq > 0) await settleCutOff(trx, user.id, cutSeq)

  const live: Session[] = []
  for (const session of await unendedSessions(trx, user.id, cutSeq)) {
    const lapse = lapseOf(session, cutSeq, now)
    if (!lapse) live.push(session)
    else {
      await endSessions(trx, [session], {
        reason: lapse.reason,
        actor: 'system',
        at: lapse.at ?? now,
      })
    }
  }
  return live
}

async function settleCutOff(trx: TransactionClientContract, userId: number, cutSeq: number) {
  const rows = await trx
    .from('sessions')
    .select(...SESSION_COLUMNS)
    .where('user_id', userId)
    .whereNull('ended_at')
    .where('seq', '<=', cutSeq)
    .limit(SETTLED_AT_ONCE)
  for (const session of rows.map(toSession)) {
    const cutoff = await cutoffOf(trx, session)
    if (cutoff) await endCutOff(trx, [session], cutoff)
    else await endSessions(trx, [session], { reason: 'forced', actor: 'system' })
  }
}

/**
 * With the uses that this node has seen and not written yet: a session in use is neither idle nor
 * the first to go.
 */
async function unendedSessions(
  client: QueryClientContract,
  userId: number,
  cutSeq: number
): Promise<Session[]> {
  const rows = await client
    .from('sessions')
    .select(...SESSION_COLUMNS)
    .where('user_id', userId)
    .whereNull('ended_at')
    .where('seq', '>', cutSeq)
  const sessions = rows.map(toSession)
  for (const session of sessions) {
    session.lastSeenAt = lastSeen.latest(session.id, session.lastSeenAt)
  }
  return sessions.sort(byLatestActivity)
}

/**
 * Orders sessions by when they were last seen, latest first.
 */
export function byLatestActivity(a: Session, b: Session): number {
  return (
    b.lastSeenAt.getTime() - a.lastSeenAt.getTime() ||
    b.createdAt.getTime() - a.createdAt.getTime() ||
    b.seq - a.seq
  )
}
