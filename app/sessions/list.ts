import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type { Page } from '#app/event_log/list'
import { matchingApiKeys, matchingSessions, type SessionFilters } from '#app/sessions/filters'
import { lastSeen } from '#app/sessions/last_seen'
import { aliveSql } from '#app/sessions/liveness'
import {
  byLatestActivity,
  describeSession,
  SESSION_COLUMNS,
  toSession,
  type StoredSession,
  type SessionRow,
} from '#app/sessions/session'
import type User from '#models/user'

/**
 * A user's live sessions, latest activity first; ties go by age, then by number, the same on every
 * database. Activity that this node has yet to write is shown too.
 */
export async function liveSessionsOf(
  client: QueryClientContract,
  user: Pick<User, 'id'>
): Promise<StoredSession[]> {
  const alive = aliveSql(clock.now())
  const found = await client
    .from('sessions')
    .where('user_id', user.id)
    .whereRaw(alive.sql, alive.bindings)
    .select(...SESSION_COLUMNS)
  const sessions = found.map(toSession)
  for (const session of sessions)
    session.lastSeenAt = lastSeen.latest(session.id, session.lastSeenAt)
  return sessions.sort(byLatestActivity)
}

type Query = ReturnType<typeof matchingSessions>

/**
 * A session with whose it is, as operators see it.
 */
export type ListedSession = StoredSession & { email: string | null; externalId: string | null }

/**
 * By sign-in. `after` goes on behind the session of this number.
 */
export type ListOptions = { order?: 'oldest' | 'newest'; limit?: number; after?: number }

/**
 * The live sessions that match, with how their users are named.
 */
export async function listSessions(
  client: QueryClientContract,
  filters: SessionFilters,
  { order = 'oldest', limit, after }: ListOptions = {}
): Promise<ListedSession[]> {
  const query = matchingSessions(client, filters)
  query.orderBy('sessions.seq', order === 'oldest' ? 'asc' : 'desc')
  if (after !== undefined) query.where('sessions.seq', order === 'oldest' ? '>' : '<', after)
  if (limit !== undefined) query.limit(limit)
  return readListed(query)
}

/**
 * The sessions that a query finds, with how their users are named.
 */
export async function readListed(query: Query): Promise<ListedSession[]> {
  const found = await withUsers(query)
  return found.map(toListedSession)
}

/**
 * One page of the same, latest activity first, with the paginator's numbers.
 */
export async function pageOfSessions(
  client: QueryClientContract,
  filters: SessionFilters,
  { page, perPage }: Page
) {
  const paginator = await withUsers(matchingSessions(client, filters))
    .orderBy('sessions.last_seen_at', 'desc')
    .orderBy('sessions.seq', 'desc')
    .paginate(page, perPage)
  return { sessions: paginator.all().map(toListedSession), meta: paginator.getMeta() }
}

function withUsers(query: Query) {
  return query
    .leftJoin('users', 'users.id', 'sessions.user_id')
    .select(SESSION_COLUMNS.map((column) => `sessions.${column}`))
    .select('users.email', 'users.external_id')
}

/**
 * How many live sessions match, or how many that have ended.
 */
export async function countSessions(
  client: QueryClientContract,
  filters: SessionFilters,
  which?: 'live' | 'ended'
): Promise<number> {
  const { total } = await matchingSessions(client, filters, which).count('* as total').firstOrFail()
  return Number(total)
}

/**
 * How many live API keys match.
 */
export async function countApiKeys(
  client: QueryClientContract,
  filters: SessionFilters
): Promise<number> {
  const { total } = await matchingApiKeys(client, filters).count('* as total').firstOrFail()
  return Number(total)
}

function toListedSession(
  row: SessionRow & { email: string | null; external_id: string | null }
): ListedSession {
  return { ...toSession(row), email: row.email, externalId: row.external_id }
}

/**
 * A session as operators see it: with whose it is. `currentId` is the session that asks.
 */
export function describeListedSession(session: ListedSession, currentId?: string) {
  const { id, ...rest } = describeSession(session, currentId)
  const { userId, email, externalId } = session
  return { id, user: { id: userId, email, externalId }, ...rest }
}
