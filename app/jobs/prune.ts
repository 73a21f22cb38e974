import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { endApiKey } from '#app/api_keys/end_api_keys'
import { inBatches } from '#app/background/batches'
import accountsConfig from '#config/accounts'
import legacyJwtConfig from '#config/legacy_jwt'
import sessionsConfig from '#config/sessions'
import { writeDueEndsOf } from '#app/sessions/end'
import { inList, rows } from '#app/database/sql'
import { timedOutSql } from '#app/sessions/liveness'
import { stepUnderLocks } from '#app/sessions/user_lock'
import { appendEvents } from '#app/event_log/append'

/**
 * Lapsed sessions that are read at once.
 */
const BATCH = 500

/**
 * How long a sign-up may wait for its e-mail to be verified, in milliseconds.
 */
const UNVERIFIED_FOR = 7 * 24 * 60 * 60 * 1000

/**
 * How long entries of replaced tokens are kept at least, in milliseconds.
 */
const REPLACED_FOR = 24 * 60 * 60 * 1000

/**
 * What was removed, and `lapsed`: sessions past a lifetime whose end was written.
 */
export type Pruned = {
  lapsed: number
  sessions: number
  endedTokens: number
  events: number
  tokens: number
  passwordResets: number
  /** Proofs of possession, windows of rate limits and exchanged JWTs that are past their time. */
  spent: number
  /** Accounts of sign-ups whose e-mail nobody verified. */
  unverified: number
}

/**
 * Writes the end of sessions that time has ended, and removes what is older than `olderThan`
 * milliseconds: ended sessions, explained tokens, events, and tokens that have expired. Spent
 * refresh tokens stay as long as their session lives, since their reuse must be noticed. Sign-ups
 * whose e-mail nobody verified within a week go too, where that is required. Works in batches, and
 * stops between two when `signal` says so.
 */
export async function prune(options: { olderThan: number; signal?: AbortSignal }): Promise<Pruned> {
  const before = new Date(clock.millis() - options.olderThan)
  const { signal } = options
  return {
    lapsed: await endLapsed(signal),
    sessions: await removeSessions(before, signal),
    endedTokens: await removeEndedTokens(before, signal),
    events: await removeEvents(before, signal),
    tokens: await removeExpiredTokens(before, signal),
    passwordResets: await removePasswordResets(signal),
    spent: await removeSpent(signal),
    unverified: await removeUnverified(signal),
  }
}

async function endLapsed(signal?: AbortSignal): Promise<number> {
  const timedOut = timedOutSql(clock.now())
  let ended = 0
  let last = 0
  while (!signal?.aborted) {
    const found: { seq: number | string; user_id: number }[] = await db
      .from('sessions')
      .select('seq', 'user_id')
      .whereNull('ended_at')
      .whereNotNull('user_id')
      .where('seq', '>', last)
      .whereRaw(timedOut.sql, timedOut.bindings)
      .orderBy('seq')
      .limit(BATCH)
    for (const userId of new Set(found.map((row) => row.user_id))) {
      if (signal?.aborted) break
      ended += await writeDueEndsOf(userId)
    }
    if (found.length < BATCH) break
    last = Number(found[found.length - 1].seq)
  }
  return ended
}

/**
 * Tokens that explained the session go with it.
 */
function removeSessions(before: Date, signal?: AbortSignal): Promise<number> {
  return remove('sessions', 'id', 'ended_at <= ? ORDER BY ended_at', [before], signal)
}

/**
 * Those that hang on an ended session go with the session.
 */
function removeEndedTokens(before: Date, signal?: AbortSignal): Promise<number> {
  const old = `ended_at <= ? AND (type <> 'refresh' OR NOT EXISTS (
      SELECT 1 FROM sessions s WHERE s.id = ended_tokens.session_id AND s.ended_at IS NULL
    )) ORDER BY ended_at`
  return remove('ended_tokens', 'hash', old, [before], signal)
}

/**
 * An entry of replaced tokens, one a refresh, says nothing any more once these have expired.
 */
async function removeEvents(before: Date, signal?: AbortSignal): Promise<number> {
  const old = await remove(
    'session_events',
    'id',
    'occurred_at <= ? ORDER BY occurred_at',
    [before],
    signal
  )
  const { accessTokenTtl, refreshTokenTtl } = sessionsConfig
  if (refreshTokenTtl === 0) return old
  const lapsed = new Date(clock.millis() - Math.max(accessTokenTtl, REPLACED_FOR))
  const replaced = "type = 'tokens.replaced' AND occurred_at <= ? ORDER BY occurred_at"
  return old + (await remove('session_events', 'id', replaced, [lapsed], signal))
}

type ExpiredToken = {
  id: number | string
  tokenable_id: number
  type: string
}

/**
 * Until then an expired access token still tells its holder to refresh. API keys end as every API
 * key ends.
 */
async function removeExpiredTokens(before: Date, signal?: AbortSignal): Promise<number> {
  const removed = await inBatches(
    async (size) => {
      const found: ExpiredToken[] = await db
        .from('api_tokens')
        .select('id', 'tokenable_id', 'type')
        .where('expires_at', '<=', before)
        .limit(size)
      const ofSessions = found.filter((token) => token.type !== 'api_key')
      const ids = ofSessions.map((token) => Number(token.id))
      const byId = inList(db.connection(), 'id', 'int8', ids)
      await rows(db.connection(), `DELETE FROM api_tokens WHERE ${byId.sql}`, [byId.binding])
      for (const key of found.filter((token) => token.type === 'api_key')) {
        await endApiKey({ id: Number(key.id), userId: key.tokenable_id }, null)
      }
      return { taken: found.length, done: found.length }
    },
    { signal }
  )
  return removed.done
}

function removePasswordResets(signal?: AbortSignal): Promise<number> {
  return remove('password_resets', 'hash', 'expires_at <= ?', [clock.now()], signal)
}

/**
 * What only stops a second use is not needed once that would come too late anyway.
 */
async function removeSpent(signal?: AbortSignal): Promise<number> {
  const now = clock.now()
  const proofs = await remove('dpop_proofs', 'hash', 'expires_at <= ?', [now], signal)
  const windows = await remove('rate_limits', 'key', 'expire <= ?', [now.getTime()], signal)
  if (legacyJwtConfig.until && now < legacyJwtConfig.until) return proofs + windows
  return proofs + windows + (await remove('exchanged_jwts', 'hash', 'true', [], signal))
}

/**
 * Frees the addresses that somebody signed up with and never showed to be theirs.
 */
async function removeUnverified(signal?: AbortSignal): Promise<number> {
  if (!accountsConfig.verifiesEmail) return 0
  const before = new Date(clock.millis() - UNVERIFIED_FOR)
  const left = () => unverified(db.connection(), before)
  const step = stepUnderLocks({ left, number: 'id', owner: 'id' }, async (trx, ids) => {
    const found = await unverified(trx, before).whereIn('id', ids).select('id')
    const gone = found.map(({ id }) => Number(id))
    await appendEvents(
      trx,
      gone.map((userId) => ({ type: 'user.deleted', userId, actor: 'system' }))
    )
    await trx.from('users').whereIn('id', gone).delete()
    return gone.length
  })
  const removed = await inBatches(step, { signal })
  return removed.done
}

/**
 * Neither those that were signed in to while nothing had to be verified, nor those in which an
 * operator had a hand: disabled, administrators, with the id of another system.
 */
function unverified(client: QueryClientContract, before: Date) {
  return client
    .from('users')
    .where({ must_verify_email: true, role: 'user' })
    .where('created_at', '<=', before)
    .whereNull('email_verified_at')
    .whereNull('disabled_at')
    .whereNull('external_id')
    .whereNotExists((query) => query.from('sessions').whereColumn('user_id', 'users.id'))
    .whereNotExists((query) => query.from('api_tokens').whereColumn('tokenable_id', 'users.id'))
}

/**
 * Deletes the rows of a table that match, in batches. An order in `where` lets an index find them.
 */
async function remove(
  table: string,
  key: string,
  where: string,
  bindings: unknown[],
  signal?: AbortSignal
): Promise<number> {
  const sql = `DELETE FROM ${table} WHERE ${key} IN (
      SELECT ${key} FROM ${table} WHERE ${where} LIMIT ?
    ) RETURNING ${key}`
  const removed = await inBatches(
    async (size) => {
      const gone = await rows(db.connection(), sql, [...bindings, size])
      return { taken: gone.length, done: gone.length }
    },
    { signal }
  )
  return removed.done
}
