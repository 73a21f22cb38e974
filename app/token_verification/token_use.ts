import { keyLastUsed } from '#app/api_keys/last_used'
import clock from '#app/clock'
import { BatchLoader } from '#app/database/batch_loader'
import { inList, rows } from '#app/database/sql'
import { inTransaction } from '#app/database/transaction'
import { useSession, type UseNoted } from '#app/sessions/last_seen'
import { lockUsersOfSessions } from '#app/sessions/user_lock'
import type { TokenRecord } from '#app/token_verification/token_lookup'

/*
 * The use of a token: noted for its session (#app/sessions/last_seen) or its API key
 * (#app/api_keys/last_used). Of tokens that a refresh gave, the first use comes before: until it is
 * written, the spent refresh token may still ask for others (#app/sessions/retry_refresh), which would
 * take these away, so it is written before it is answered. Every later check reads that it is, and
 * pays nothing.
 */

/**
 * Notes that an access token is used. False: it was taken away meanwhile, so whoever asked must
 * check again. Throws what the database throws.
 */
export function noteFirstUse({ id, kind, session, lastUsedAt }: TokenRecord): UseNoted {
  if (lastUsedAt !== null || kind !== 'access' || !session) return true
  return firstUses.read(session.id).then((live) => live?.has(id) ?? false)
}

/**
 * Notes that a token is used. False when it or its session ended meanwhile.
 */
export function noteUse(token: TokenRecord): UseNoted {
  const { id, session, lastUsedAt } = token
  if (session) {
    const first = noteFirstUse(token)
    if (first === true) return useSession(session)
    return first.then((written) => written && useSession(session))
  }
  keyLastUsed.touch(String(id), lastUsedAt)
  return true
}

/**
 * First uses of one moment go in one statement. It holds the users' rows, as whoever replaces or
 * ends tokens does. The refresh token is marked as well: it outlives its access token.
 */
const firstUses = new BatchLoader<Set<number>>(async (sessionIds) => {
  const written = await inTransaction(async (trx) => {
    const bySession = inList(trx, 'session_id', 'uuid', sessionIds)
    await lockUsersOfSessions(trx, sessionIds)
    return rows<{ id: number | string; session_id: string }>(
      trx,
      `UPDATE api_tokens SET last_used_at = coalesce(last_used_at, ?) WHERE ${bySession.sql}
       RETURNING id, session_id`,
      [clock.now(), bySession.binding]
    )
  })
  const bySession = Map.groupBy(written, (row) => row.session_id)
  return new Map(
    [...bySession].map(([sessionId, tokens]) => [
      sessionId,
      new Set(tokens.map((token) => Number(token.id))),
    ])
  )
})
