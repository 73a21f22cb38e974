import db from '@adonisjs/lucid/services/db'
import { endApiKeys } from '#app/api_keys/end_api_keys'
import { inBatches, type Watch } from '#app/background/batches'
import { writeTimeouts, endSessions, type Ending } from '#app/sessions/end'
import { matchingApiKeys, sessionsToEnd, type SessionFilters } from '#app/sessions/filters'
import { SESSION_COLUMNS, toSession } from '#app/sessions/session'
import { stepUnderLocks } from '#app/sessions/user_lock'

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
  const left = () => sessionsToEnd(db.connection(), filters)
  const step = stepUnderLocks(
    { left, number: 'sessions.seq', owner: 'sessions.user_id' },
    async (trx, seqs) => {
      const matching = await sessionsToEnd(trx, filters)
        .whereIn('sessions.seq', seqs)
        .select(...SESSION_COLUMNS)
      const live = await writeTimeouts(trx, matching.map(toSession))
      const forced = await endSessions(trx, live, ending)
      return forced.length
    }
  )
  return inBatches(step, watch)
}

/**
 * The same for API keys.
 */
export async function endMatchingApiKeys(
  filters: SessionFilters,
  ending: Ending,
  watch: Watch
): Promise<Ended> {
  const left = () => matchingApiKeys(db.connection(), filters)
  const step = stepUnderLocks(
    { left, number: 'api_tokens.id', owner: 'api_tokens.tokenable_id' },
    async (trx, ids) => {
      const matching = await matchingApiKeys(trx, filters)
        .whereIn('api_tokens.id', ids)
        .select('api_tokens.id')
      const matched = matching.map((row) => Number(row.id))
      return endApiKeys(trx, matched, ending)
    }
  )
  return inBatches(step, watch)
}
