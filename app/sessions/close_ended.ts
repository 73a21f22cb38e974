import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { pipeline } from '#app/database/pipeline'
import { endSessions } from '#app/sessions/end'
import { COVERED_SQL, endByTime } from '#app/sessions/liveness'
import { byLatestActivity } from '#app/sessions/live_sessions'
import {
  SESSION_COLUMNS,
  toSession,
  type SessionRow,
  type StoredSession,
} from '#app/sessions/session'
import { withUserLock } from '#app/sessions/user_lock'
import { endByWatermark, FIRST_WATERMARK_SQL, readWatermarks } from '#app/sessions/watermark'

/*
 * Time and watermarks end sessions without writing their rows. Their ends are written here: before
 * anybody is told of an end by time, and before anything else ends sessions of the same user, so
 * that the first reason stays the reason.
 */

/**
 * How many covered sessions of a user a sign-in writes on its way. They are dead already; the
 * backfill writes the rest.
 */
const COVERED_AT_ONCE = 100

const COLUMNS = SESSION_COLUMNS.map((column) => `sessions.${column}`).join(', ')

/**
 * The live sessions of a user, latest activity first, after the ends of the others are written. For
 * use under the user's lock.
 *
 * Very many covered sessions are left to the backfill. `deviceId` names a device whose covered
 * sessions are written in any case, since a device holds one session without a written end;
 * `allCovered` writes them all.
 */
export async function closeEndedOfUser(
  trx: TransactionClientContract,
  userId: number,
  options: { deviceId?: string | null; allCovered?: boolean } = {}
): Promise<StoredSession[]> {
  const limit = options.allCovered ? '' : `LIMIT ${COVERED_AT_ONCE}`
  const unended = 'FROM sessions WHERE user_id = ? AND ended_at IS NULL'
  const [open, covered] = await pipeline(trx, [
    { sql: `SELECT ${COLUMNS} ${unended} AND NOT ${COVERED_SQL}`, bindings: [userId] },
    {
      sql: `SELECT ${COVERED_COLUMNS} ${unended} AND ${COVERED_SQL}
        ORDER BY CASE WHEN device_id = ? THEN 0 ELSE 1 END ${limit}`,
      bindings: [userId, options.deviceId ?? null],
    },
  ])
  await closeCovered(trx, (covered as CoveredRow[]).map(toCoveredSession))
  const live = await closeExpired(trx, (open as SessionRow[]).map(toSession))
  return live.sort(byLatestActivity)
}

/**
 * The same for one user by id, in a transaction of its own. Returns how many ends were written.
 */
export async function closeEnded(userId: number): Promise<number> {
  return withUserLock(userId, async (trx, user) => {
    if (!user) return 0
    const before = await countUnended(trx, userId)
    await closeEndedOfUser(trx, userId)
    return before - (await countUnended(trx, userId))
  })
}

/**
 * Writes the ends by time of sessions that no watermark covers, and returns those that live. For
 * use under the locks of their users. A session that was used since it was read is read again.
 */
export async function closeExpired(
  trx: TransactionClientContract,
  sessions: StoredSession[]
): Promise<StoredSession[]> {
  const now = clock.now()
  const live: StoredSession[] = []
  for (let session of sessions) {
    let end = endByTime(session, now)
    while (end) {
      const ending = { ...end, actor: 'system', ifLastSeenAt: session.lastSeenAt } as const
      const [ended] = await endSessions(trx, [session], ending)
      if (ended) break
      session = await readAgain(trx, session)
      end = endByTime(session, now)
    }
    if (!end) live.push(session)
  }
  return live
}

/**
 * Writes the ends of sessions that watermarks cover, each as of the moment and by the actor of the
 * first watermark that covers it, or with its own reason where time had ended it before. For use
 * under the locks of their users. Returns how many ended by a watermark.
 */
export async function closeCovered(
  trx: TransactionClientContract,
  covered: CoveredSession[]
): Promise<number> {
  let ended = 0
  const ids = [...new Set(covered.map(({ watermarkId }) => watermarkId))]
  for (const watermark of await readWatermarks(trx, ids)) {
    const byWatermark: StoredSession[] = []
    for (const session of covered.filter(({ watermarkId }) => watermarkId === watermark.id)) {
      const { reason, at, byTime } = endByWatermark(session, watermark)
      if (byTime) await endSessions(trx, [session], { reason, at, actor: 'system' })
      else byWatermark.push(session)
    }
    const { reason, at, actor, note } = watermark
    ended += (await endSessions(trx, byWatermark, { reason, at, actor, note })).length
  }
  return ended
}

/**
 * What reads covered sessions for `closeCovered`.
 */
export const COVERED_COLUMNS = `${COLUMNS}, ${FIRST_WATERMARK_SQL} AS watermark_id`

export type CoveredSession = StoredSession & { watermarkId: number }

type CoveredRow = SessionRow & { watermark_id: number }

export function toCoveredSession(row: CoveredRow): CoveredSession {
  return { ...toSession(row), watermarkId: row.watermark_id }
}

async function readAgain(
  trx: TransactionClientContract,
  session: StoredSession
): Promise<StoredSession> {
  const row = await trx
    .from('sessions')
    .where('id', session.id)
    .select(...SESSION_COLUMNS)
    .firstOrFail()
  return toSession(row)
}

async function countUnended(trx: TransactionClientContract, userId: number): Promise<number> {
  const { total } = await trx
    .from('sessions')
    .where('user_id', userId)
    .whereNull('ended_at')
    .count('* as total')
    .firstOrFail()
  return Number(total)
}
