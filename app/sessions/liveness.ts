import type { SessionEnd } from '#exceptions/errors'
import { idleTimeout, idleTimeoutOf } from '#config/sessions'
import type { SessionKind } from '#app/sessions/session'

/*
 * Whether a session is alive: one function for a row that has been read, and beside it the SQL
 * conditions for rows that a statement chooses. Every check, list, filter, stream, refresh, end and
 * prune uses these, and they look at the database's columns alone: no node's memory takes part.
 */

/**
 * What decides.
 */
export type LivenessColumns = {
  seq: number
  kind: SessionKind
  lastSeenAt: Date
  expiresAt: Date
  endedAt: Date | null
}

/**
 * - `ended`: its end is written
 * - `covered`: a watermark has ended it, and its own row is still to be written
 * - `idle`, `expired`: time has ended it, which must be committed before any client sees it
 *   (#app/sessions/end)
 */
export type Liveness = 'alive' | 'ended' | 'covered' | 'idle' | 'expired'

/**
 * Whether a session is alive, and if not, what has ended it. `watermarkSeq` is the highest watermark
 * of its user and of everyone.
 */
export function livenessOf(session: LivenessColumns, watermarkSeq: number, now: Date): Liveness {
  if (session.endedAt !== null) return 'ended'
  if (session.seq <= watermarkSeq) return 'covered'
  return timeoutOf(session, now)?.reason ?? 'alive'
}

/**
 * The end of a session by time; null while it has none. Of the idle timeout and the absolute
 * lifetime the earlier one is the reason. `timeout`, in milliseconds, is that of sessions on devices
 * of one's own.
 */
export function timeoutOf(
  session: Pick<LivenessColumns, 'kind' | 'lastSeenAt' | 'expiresAt'>,
  now: Date,
  timeout = idleTimeout()
): { reason: 'idle' | 'expired'; at: Date } | null {
  const idle = idleAt(session, timeout)
  if (now >= idle && idle < session.expiresAt) return { reason: 'idle', at: idle }
  if (now >= session.expiresAt) return { reason: 'expired', at: session.expiresAt }
  return null
}

/**
 * A disabled account has no live session: disabling ends them all. Should one be left, it is dead
 * nevertheless.
 */
export function disabledEndOf(disabledAt: Date | null): SessionEnd | null {
  return disabledAt && { reason: 'account_disabled', endedAt: disabledAt }
}

/**
 * When a session goes idle unless it is used. `timeout` as for `timeoutOf`.
 */
export function idleAt(
  session: Pick<LivenessColumns, 'kind' | 'lastSeenAt'>,
  timeout = idleTimeout()
): Date {
  return new Date(session.lastSeenAt.getTime() + idleTimeoutOf(session, timeout))
}

/**
 * Sessions that a watermark covers, as a condition on rows of `sessions`. Finished per-user
 * watermarks are skipped: their sessions already have `ended_at`.
 */
export const COVERED_SQL = `(
  sessions.seq <= (SELECT coalesce(max(session_seq), 0) FROM cutoffs WHERE user_id IS NULL)
  OR EXISTS (
    SELECT 1 FROM cutoffs
    WHERE cutoffs.user_id = sessions.user_id
      AND cutoffs.session_seq >= sessions.seq
      AND cutoffs.finished_at IS NULL
  )
)`

/**
 * Sessions that neither a written end nor a watermark has ended, as a condition on rows of
 * `sessions`. Time may have ended them.
 */
export const UNENDED_SQL = `(sessions.ended_at IS NULL AND NOT ${COVERED_SQL})`

/**
 * Sessions that live: the same answer as `livenessOf` gives, as a condition on rows of `sessions`.
 */
export function aliveSql(now: Date): { sql: string; bindings: Date[] } {
  return {
    sql: `sessions.expires_at > ? AND sessions.last_seen_at > ?
      AND (sessions.kind <> 'shared' OR sessions.last_seen_at > ?) AND ${UNENDED_SQL}`,
    bindings: timeBounds(now),
  }
}

/**
 * Sessions that time has ended, whether or not that is written: the same answer as `timeoutOf` gives.
 */
export function timedOutSql(now: Date): { sql: string; bindings: Date[] } {
  return {
    sql: `(sessions.expires_at <= ? OR sessions.last_seen_at <= ?
      OR (sessions.kind = 'shared' AND sessions.last_seen_at <= ?))`,
    bindings: timeBounds(now),
  }
}

const timeBounds = (now: Date) => [
  now,
  new Date(now.getTime() - idleTimeout()),
  new Date(now.getTime() - idleTimeoutOf({ kind: 'shared' })),
]

/*
 * The same of API keys, which a watermark covers by their ids and which end by time when they expire.
 */

/**
 * API keys that a watermark covers, as a condition on rows of `api_tokens`. That of everyone is read
 * once a statement, as for sessions.
 */
const COVERED_KEY_SQL = `(
  api_tokens.id <= (SELECT coalesce(max(api_key_id), 0) FROM cutoffs WHERE user_id IS NULL)
  OR EXISTS (
    SELECT 1 FROM cutoffs
    WHERE cutoffs.user_id = api_tokens.tokenable_id AND cutoffs.api_key_id >= api_tokens.id
  )
)`

/**
 * API keys that no watermark has ended, as a condition on rows of `api_tokens`. They may have expired.
 */
export const UNENDED_KEY_SQL = `(api_tokens.type = 'api_key' AND NOT ${COVERED_KEY_SQL})`

/**
 * API keys that live, as a condition on rows of `api_tokens`.
 */
export function aliveKeySql(now: Date): { sql: string; bindings: Date[] } {
  return {
    sql: `${UNENDED_KEY_SQL} AND (api_tokens.expires_at IS NULL OR api_tokens.expires_at > ?)`,
    bindings: [now],
  }
}
