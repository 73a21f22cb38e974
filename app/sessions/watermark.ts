import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import type { Actor } from '#app/event_log/actor'
import { timeoutOf, type LivenessColumns } from '#app/sessions/liveness'
import { idleTimeout } from '#config/sessions'
import type { EndReason } from '#exceptions/end_reasons'
import { toDate, type StoredInstant } from '#models/instant'

/**
 * What ended many tokens at one commit: sessions numbered up to `sessionSeq` and API keys with ids
 * up to `apiKeyId` are dead, though their rows may still be written. `userId` null: everyone's.
 * Stored in the table `cutoffs`.
 */
export type Watermark = {
  id: number
  userId: number | null
  sessionSeq: number
  apiKeyId: number
  reason: EndReason
  at: Date
  actor: Actor
  note: string | null
  /** The idle timeout in force at that moment, in milliseconds. */
  idleTimeout: number
  /** The rows of all that it covers are written. */
  finished: boolean
}

export type WatermarkRow = {
  id: number
  user_id: number | null
  session_seq: number | string
  api_key_id: number | string
  reason: EndReason
  note: string | null
  actor: Actor
  idle_timeout: number | string | null
  created_at: StoredInstant
  finished_at: StoredInstant | null
}

/**
 * How a covered session ended: by the watermark, unless time had ended it before that moment. The
 * answer depends on stored values alone (the idle timeout is the watermark's own), and uses of a
 * covered session are not written, so it is the same whenever it is asked for.
 */
export function watermarkEndOf(
  session: Pick<LivenessColumns, 'kind' | 'lastSeenAt' | 'expiresAt'>,
  watermark: Pick<Watermark, 'at' | 'reason' | 'idleTimeout'>
): { reason: EndReason; at: Date; byTime: boolean } {
  const { at, reason } = watermark
  const earlier = timeoutOf(session, at, watermark.idleTimeout)
  return earlier ? { ...earlier, byTime: true } : { reason, at, byTime: false }
}

/**
 * The id of the first watermark that covers a row of `sessions`, as an expression.
 */
export const FIRST_WATERMARK_SQL = firstWatermark('session_seq', 'sessions.seq', 'sessions.user_id')

/**
 * The same for a row of `api_tokens` that is an API key.
 */
export const FIRST_KEY_WATERMARK_SQL = firstWatermark(
  'api_key_id',
  'api_tokens.id',
  'api_tokens.tokenable_id'
)

function firstWatermark(upTo: string, number: string, owner: string): string {
  return `(
    SELECT min(cutoffs.id) FROM cutoffs
    WHERE cutoffs.${upTo} >= ${number}
      AND (cutoffs.user_id IS NULL OR cutoffs.user_id = ${owner})
  )`
}

/**
 * Watermarks by their ids, oldest first.
 */
export async function readWatermarks(
  client: QueryClientContract,
  ids: number[]
): Promise<Watermark[]> {
  if (ids.length === 0) return []
  const found = await client.from('cutoffs').whereIn('id', ids).orderBy('id')
  return found.map(toWatermark)
}

/**
 * The first watermark that covers a session; null when none does.
 */
export async function watermarkOf(
  client: QueryClientContract,
  { userId, seq }: { userId: number | null; seq: number }
): Promise<Watermark | null> {
  const row = await client
    .from('cutoffs')
    .where('session_seq', '>=', seq)
    .where((scope) => {
      scope.whereNull('user_id')
      if (userId !== null) scope.orWhere('user_id', userId)
    })
    .orderBy('id')
    .first()
  return row && toWatermark(row)
}

/**
 * A watermark from its row. One that an older version wrote has no idle timeout of its own.
 */
export function toWatermark(row: WatermarkRow): Watermark {
  return {
    id: row.id,
    userId: row.user_id,
    sessionSeq: Number(row.session_seq),
    apiKeyId: Number(row.api_key_id),
    reason: row.reason,
    at: toDate(row.created_at),
    actor: row.actor,
    note: row.note,
    idleTimeout: row.idle_timeout === null ? idleTimeout() : Number(row.idle_timeout),
    finished: row.finished_at !== null,
  }
}
