import db from '@adonisjs/lucid/services/db'
import { inTransaction } from '#app/database/transaction'
import { endApiKeys } from '#app/api_keys/end_api_keys'
import { inBatches, type Watch } from '#app/background/batches'
import { closeExpired, endSessions, type Ending } from '#app/sessions/end'
import { matchingApiKeys, sessionsToEnd, type SessionFilters } from '#app/sessions/filters'
import { SESSION_COLUMNS, toSession } from '#app/sessions/session'
import { lockUsers } from '#app/sessions/user_lock'

type Ended = Awaited<ReturnType<typeof inBatches>>

/**
 * Ends the sessions that match, batch after batch, each under the locks of its users, where it is
 * certain that they still match.
 */
export async function endMatchingSessions(
  filters: SessionFilters,
  ending: Ending,
  watch: Watch
): Promise<Ended> {
  let after = 0
  return inBatches(async (size) => {
    const next = await sessionsToEnd(db.connection(), filters)
      .where('sessions.seq', '>', after)
      .select('sessions.seq', 'sessions.user_id')
      .orderBy('sessions.seq')
      .limit(size)
    if (next.length === 0) return { taken: 0, done: 0 }
    const seqs = next.map((row) => Number(row.seq))
    after = seqs.at(-1)!

    const done = await inTransaction(async (trx) => {
      await lockUsers(trx, distinct(next.map((row) => row.user_id)))
      const matching = await sessionsToEnd(trx, filters)
        .whereIn('sessions.seq', seqs)
        .select(...SESSION_COLUMNS)
      const live = await closeExpired(trx, matching.map(toSession))
      const forced = await endSessions(trx, live, ending)
      return forced.length
    })
    return { taken: next.length, done }
  }, watch)
}

/**
 * The same for API keys.
 */
export async function endMatchingApiKeys(
  filters: SessionFilters,
  ending: Ending,
  watch: Watch
): Promise<Ended> {
  let after = 0
  return inBatches(async (size) => {
    const next = await matchingApiKeys(db.connection(), filters)
      .where('api_tokens.id', '>', after)
      .select('api_tokens.id', 'api_tokens.tokenable_id')
      .orderBy('api_tokens.id')
      .limit(size)
    if (next.length === 0) return { taken: 0, done: 0 }
    const ids = next.map((row) => Number(row.id))
    after = ids.at(-1)!

    const done = await inTransaction(async (trx) => {
      await lockUsers(trx, distinct(next.map((row) => row.tokenable_id)))
      const matching = await matchingApiKeys(trx, filters)
        .whereIn('api_tokens.id', ids)
        .select('id', 'tokenable_id', 'name')
      const keys = matching.map((row) => ({
        id: Number(row.id),
        userId: row.tokenable_id,
        name: row.name,
      }))
      await endApiKeys(trx, keys, ending)
      return keys.length
    })
    return { taken: next.length, done }
  }, watch)
}

function distinct(ids: (number | null)[]): number[] {
  return [...new Set(ids)].filter((id) => id !== null)
}
