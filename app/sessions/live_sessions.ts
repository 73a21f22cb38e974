import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type { Statement } from '#app/database/pipeline'
import type User from '#models/user'
import { watermarkOf } from '#app/sessions/watermark'
import { endCovered } from '#app/sessions/end_covered'
import { endSessions } from '#app/sessions/end'
import { lastSeen } from '#app/sessions/last_seen'
import {
  SESSION_COLUMNS,
  toSession,
  type StoredSession,
  type SessionRow,
} from '#app/sessions/session'
import { rows } from '#app/database/sql'
import { lapseOf } from '#app/sessions/liveness'

/**
 * How many cut-off sessions a sign-in settles on its way. They are dead already; a force logout
 * of very many ends the rest in its own time.
 */
const SETTLED_AT_ONCE = 100

/**
 * A user's live sessions, newest activity first; ties go by age, then by number, the same on every
 * database.
 */
export async function liveSessionsOf(
  client: QueryClientContract,
  user: User
): Promise<StoredSession[]> {
  const now = clock.now()
  const { sessions } = tellApart(await readUnended(client, user.id, 0))
  return sessions.filter((session) => !lapseOf(session, 0, now))
}

/**
 * The same, and first writes the end of those that time or a cut-off has ended, each with its own
 * reason, so that a newcomer finds their places free. For use under the user's lock. `read` is what
 * `unendedSessions` gave under that lock, where it was sent already.
 */
export async function settleSessionsOf(
  trx: TransactionClientContract,
  user: User,
  read?: unknown[]
): Promise<StoredSession[]> {
  const now = clock.now()
  const { sessions, cutOff } = tellApart(read ?? (await readUnended(trx, user.id, SETTLED_AT_ONCE)))
  for (const session of cutOff) {
    const cutoff = await watermarkOf(trx, session)
    if (cutoff) await endCovered(trx, [session], cutoff)
    else await endSessions(trx, [session], { reason: 'forced', actor: 'system' })
  }

  const live: StoredSession[] = []
  for (const session of sessions) {
    const lapse = lapseOf(session, 0, now)
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

const COLUMNS = SESSION_COLUMNS.join(', ')

/**
 * What reads a user's sessions without a written end: those that no cut-off covers, and up to so
 * many that one covers. In one statement, for every sign-in asks.
 */
export function unendedSessions(userId: number, cutOff = SETTLED_AT_ONCE): Statement {
  return {
    sql: `WITH cut AS (
       SELECT users.id AS owner, CASE
         WHEN users.cut_session_seq > everyone.seq THEN users.cut_session_seq ELSE everyone.seq
       END AS cut_seq
       FROM users, (
         SELECT coalesce(max(session_seq), 0) AS seq FROM cutoffs WHERE user_id IS NULL
       ) AS everyone WHERE users.id = ?
     )
     SELECT ${COLUMNS}, 0 AS is_cut_off FROM cut JOIN sessions ON user_id = owner
     WHERE ended_at IS NULL AND seq > cut_seq
     UNION ALL
     SELECT * FROM (
       SELECT ${COLUMNS}, 1 FROM cut JOIN sessions ON user_id = owner
       WHERE ended_at IS NULL AND seq <= cut_seq LIMIT ?
     ) AS covered`,
    bindings: [userId, cutOff],
  }
}

function readUnended(client: QueryClientContract, userId: number, cutOff: number) {
  const { sql, bindings } = unendedSessions(userId, cutOff)
  return rows(client, sql, bindings)
}

/**
 * Latest activity first, with the uses that this node has seen and not written yet: a session in
 * use is neither idle nor the first to go.
 */
function tellApart(read: unknown[]): { sessions: StoredSession[]; cutOff: StoredSession[] } {
  const sessions: StoredSession[] = []
  const cutOff: StoredSession[] = []
  for (const row of read as (SessionRow & { is_cut_off: number })[]) {
    const session = toSession(row)
    session.lastSeenAt = lastSeen.latest(session.id, session.lastSeenAt)
    if (row.is_cut_off) cutOff.push(session)
    else sessions.push(session)
  }
  return { sessions: sessions.sort(byLatestActivity), cutOff }
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
