import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { toDate } from '#models/instant'
import type User from '#models/user'
import type { Actor } from '#sessions/actor'

/**
 * The highest cut-off that covers a user: sessions numbered up to it are dead.
 */
export async function cutoffFor(
  client: QueryClientContract,
  user: Pick<User, 'cutSessionSeq'>
): Promise<number> {
  const { seq } = await client
    .from('cutoffs')
    .whereNull('user_id')
    .max('session_seq as seq')
    .firstOrFail()
  return Math.max(user.cutSessionSeq, Number(seq ?? 0))
}

/**
 * The force logout that cut off a session: the first that covers its number.
 */
export async function cutoffOf(
  client: QueryClientContract,
  session: { userId: number | null; seq: number }
): Promise<{ at: Date; actor: Actor; note: string | null } | null> {
  const row = await client
    .from('cutoffs')
    .where('session_seq', '>=', session.seq)
    .where((scope) => {
      scope.whereNull('user_id')
      if (session.userId !== null) scope.orWhere('user_id', session.userId)
    })
    .orderBy('id')
    .first()
  return row && { at: toDate(row.created_at), actor: row.actor, note: row.note }
}
