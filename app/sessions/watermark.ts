import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { toDate, type StoredInstant } from '#models/instant'
import type User from '#models/user'
import type { Actor } from '#app/event_log/actor'
import type { EndReason } from '#exceptions/end_reasons'

/**
 * What stopped many tokens at one commit: sessions numbered up to `sessionSeq` and API keys with
 * ids up to `apiKeyId` are dead, though their rows may wait to be ended. `userId` null: everyone's.
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
  /** The rows of all that it covers are ended. */
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
  created_at: StoredInstant
  finished_at: StoredInstant | null
}

/**
 * The highest cut-off that covers a user: sessions numbered up to it are dead.
 */
export async function watermarkFor(
  client: QueryClientContract,
  user: Pick<User, 'watermarkSeq'>
): Promise<number> {
  const { seq } = await client
    .from('cutoffs')
    .whereNull('user_id')
    .max('session_seq as seq')
    .firstOrFail()
  return Math.max(user.watermarkSeq, Number(seq ?? 0))
}

/**
 * What cut off a session: the first that covers its number.
 */
export async function watermarkOf(
  client: QueryClientContract,
  session: { userId: number | null; seq: number }
): Promise<Watermark | null> {
  return firstCovering(client, session.userId, 'session_seq', session.seq)
}

/**
 * What cut off an API key: the first that covers its id.
 */
export async function watermarkOfApiKey(
  client: QueryClientContract,
  key: { userId: number; id: number }
): Promise<Watermark | null> {
  return firstCovering(client, key.userId, 'api_key_id', key.id)
}

async function firstCovering(
  client: QueryClientContract,
  userId: number | null,
  column: 'session_seq' | 'api_key_id',
  number: number
): Promise<Watermark | null> {
  const row = await client
    .from('cutoffs')
    .where(column, '>=', number)
    .where((scope) => {
      scope.whereNull('user_id')
      if (userId !== null) scope.orWhere('user_id', userId)
    })
    .orderBy('id')
    .first()
  return row && toWatermark(row)
}

/**
 * A cut-off from its row.
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
    finished: row.finished_at !== null,
  }
}
