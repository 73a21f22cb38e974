import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { pipeline } from '#app/database/pipeline'
import { inList, rows } from '#app/database/sql'
import { shownDevice } from '#app/devices/device'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { COVERED_SQL, timeoutOf, UNENDED_SQL } from '#app/sessions/liveness'
import {
  byLatestActivity,
  type Session,
  SELECTED_SESSION_COLUMNS,
  SESSION_COLUMNS,
  toSession,
  type SessionRow,
  type StoredSession,
} from '#app/sessions/session'
import { endOfSession } from '#app/sessions/session_end'
import { withUserLock } from '#app/sessions/user_lock'
import { watermarkEndOf, FIRST_WATERMARK_SQL, readWatermarks } from '#app/sessions/watermark'
import { revokeTokens } from '#app/tokens/revoke'
import type { EndReason } from '#exceptions/end_reasons'
import type { SessionEnd } from '#exceptions/errors'

/*
 * What happens when a session ends, all of it in the caller's transaction:
 *
 * 1. its row says when, why and by whom (`sessions.ended_at`, `end_reason`, `ended_by`,
 *    `superseded_by`). The first recorded end is final;
 * 2. its access and refresh tokens leave `api_tokens`, and `ended_tokens` keeps what explains a 401
 *    to their holders (#app/tokens/revoke);
 * 3. the log gets `session.ended` (#app/event_log/append).
 *
 * After the commit everybody else hears of it from the log: open event streams (#app/streams), the
 * revocation feed (#app/event_log/revocations), mails (#mails/on_events) and the metrics. The next
 * check of a token reads the database and finds none (#app/token_verification/verify_token).
 */

/**
 * How sessions end: why, by whom, and what to remember of it.
 */
export type Ending = {
  reason: EndReason
  actor: Actor
  /** When; the present unless time or a watermark ended it earlier. */
  at?: Date
  /** The session that takes the place (`superseded`, `replaced`). */
  supersededBy?: string
  /** What the admin wrote as the reason. For the log, not for the device. */
  note?: string | null
  /**
   * Ends only sessions that were last seen at this moment: one that was used since it was read is
   * left alone.
   */
  ifLastSeenAt?: Date
}

export type SessionToEnd = Pick<Session, 'id' | 'userId' | 'device'> &
  Partial<Pick<Session, 'userAgent'>>

/**
 * Ends sessions. Everything that ends one comes through here. The caller's transaction holds the
 * rows of their users (#app/sessions/user_lock), and has written the ends by time and by watermark
 * first (`writeDueEnds`).
 *
 * Returns those that it ended: one whose end is written already stays as it is.
 */
export async function endSessions<Given extends SessionToEnd>(
  trx: TransactionClientContract,
  sessions: Given[],
  ending: Ending
): Promise<Given[]> {
  if (sessions.length === 0) return []
  const at = ending.at ?? clock.now()
  const ended = await markEnded(trx, sessions, { ...ending, at })
  if (ended.length === 0) return []

  /** Sent in this order, without waiting for the answer to each (#app/database/pipeline). */
  await Promise.all([
    revokeTokens(trx, { sessions: ended.map(({ id }) => id) }, { reason: null, at }),
    appendEvents(
      trx,
      ended.map((session) => ({
        type: 'session.ended',
        userId: session.userId,
        sessionId: session.id,
        reason: ending.reason,
        actor: ending.actor,
        occurredAt: at,
        data: {
          device: shownDevice(session),
          ...(ending.supersededBy && { by: ending.supersededBy }),
          ...(ending.note && { note: ending.note }),
        },
      }))
    ),
  ])
  return ended
}

/**
 * Writes the end into the rows that have none. A stored instant can be finer than a millisecond, so
 * "last seen at" means within that millisecond.
 */
async function markEnded<Given extends SessionToEnd>(
  trx: TransactionClientContract,
  sessions: Given[],
  { reason, actor, at, supersededBy, ifLastSeenAt }: Ending
): Promise<Given[]> {
  const ids = sessions.map(({ id }) => id)
  const byId = inList(trx, 'id', 'uuid', ids)
  const unchanged = ifLastSeenAt ? 'AND last_seen_at >= ? AND last_seen_at < ?' : ''
  const bounds = ifLastSeenAt ? [ifLastSeenAt, new Date(ifLastSeenAt.getTime() + 1)] : []
  const marked = await rows<{ id: string }>(
    trx,
    `UPDATE sessions SET ended_at = ?, end_reason = ?, ended_by = ?, superseded_by = ?
     WHERE ended_at IS NULL AND ${byId.sql} ${unchanged}
     RETURNING id`,
    [at, reason, actor, supersededBy ?? null, byId.binding, ...bounds]
  )
  if (marked.length === sessions.length) return sessions
  const found = new Set(marked.map(({ id }) => id))
  return sessions.filter(({ id }) => found.has(id))
}

/**
 * Ends one session, if it still lives, under the lock of its user. Returns how it ended, by this or
 * by what came before.
 */
export async function endSession(
  session: Pick<Session, 'id' | 'userId'>,
  ending: Ending
): Promise<SessionEnd> {
  return withUserLock(session.userId, async (trx, user) => {
    const live = user ? await writeDueEnds(trx, user.id) : []
    const target = live.filter(({ id }) => id === session.id)
    await endSessions(trx, target, ending)
    return endOfSession(trx, session.id)
  })
}

/*
 * Time and watermarks end sessions without writing their rows. What follows writes those ends:
 * before anybody is told of an end by time, and before anything else ends sessions of the same
 * user, so that the first reason stays the reason.
 */

/**
 * How many covered sessions of a user a sign-in writes on its way. They are dead already; the
 * backfill writes the rest.
 */
const COVERED_AT_ONCE = 100

/**
 * The live sessions of a user, latest activity first, after the ends of the others are written. For
 * use under the user's lock.
 *
 * Very many covered sessions are left to the backfill. `deviceId` names a device whose covered
 * sessions are written in any case, since a device holds one session without a written end;
 * `allCovered` writes them all.
 */
export async function writeDueEnds(
  trx: TransactionClientContract,
  userId: number,
  options: DueEndsOptions = {}
): Promise<StoredSession[]> {
  const { live } = await writeAndCount(trx, userId, options)
  return live.sort(byLatestActivity)
}

/**
 * The same for one user by id, in a transaction of its own. Returns how many ends were written.
 */
export async function writeDueEndsOf(userId: number): Promise<number> {
  return withUserLock(userId, async (trx, user) => {
    if (!user) return 0
    const { closed } = await writeAndCount(trx, userId)
    return closed
  })
}

type DueEndsOptions = { deviceId?: string | null; allCovered?: boolean }

async function writeAndCount(
  trx: TransactionClientContract,
  userId: number,
  options: DueEndsOptions = {}
): Promise<{ live: StoredSession[]; closed: number }> {
  const limit = options.allCovered ? '' : `LIMIT ${COVERED_AT_ONCE}`
  const [open, covered] = await pipeline(trx, [
    {
      sql: `SELECT ${SELECTED_SESSION_COLUMNS} FROM sessions WHERE user_id = ? AND ${UNENDED_SQL}`,
      bindings: [userId],
    },
    {
      sql: `SELECT ${COVERED_COLUMNS} FROM sessions
        WHERE user_id = ? AND sessions.ended_at IS NULL AND ${COVERED_SQL}
        ORDER BY CASE WHEN device_id = ? THEN 0 ELSE 1 END ${limit}`,
      bindings: [userId, options.deviceId ?? null],
    },
  ])
  await writeWatermarkEnds(trx, (covered as CoveredRow[]).map(toCoveredSession))
  const live = await writeTimeouts(trx, (open as SessionRow[]).map(toSession))
  return { live, closed: covered.length + open.length - live.length }
}

/**
 * Writes the ends by time of sessions that no watermark covers, and returns those that live. For
 * use under the locks of their users. A session that was used since it was read is read again.
 */
export async function writeTimeouts(
  trx: TransactionClientContract,
  sessions: StoredSession[]
): Promise<StoredSession[]> {
  const now = clock.now()
  const live: StoredSession[] = []
  for (let session of sessions) {
    let end = timeoutOf(session, now)
    while (end) {
      const ending = { ...end, actor: 'system', ifLastSeenAt: session.lastSeenAt } as const
      const [ended] = await endSessions(trx, [session], ending)
      if (ended) break
      session = await readAgain(trx, session)
      end = timeoutOf(session, now)
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
export async function writeWatermarkEnds(
  trx: TransactionClientContract,
  covered: CoveredSession[]
): Promise<number> {
  let ended = 0
  const ids = [...new Set(covered.map(({ watermarkId }) => watermarkId))]
  for (const watermark of await readWatermarks(trx, ids)) {
    const byWatermark: StoredSession[] = []
    for (const session of covered.filter(({ watermarkId }) => watermarkId === watermark.id)) {
      const { reason, at, byTime } = watermarkEndOf(session, watermark)
      if (byTime) await endSessions(trx, [session], { reason, at, actor: 'system' })
      else byWatermark.push(session)
    }
    const { reason, at, actor, note } = watermark
    const written = await endSessions(trx, byWatermark, { reason, at, actor, note })
    ended += written.length
  }
  return ended
}

/**
 * What reads covered sessions for `writeWatermarkEnds`.
 */
export const COVERED_COLUMNS = `${SELECTED_SESSION_COLUMNS}, ${FIRST_WATERMARK_SQL} AS watermark_id`

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
