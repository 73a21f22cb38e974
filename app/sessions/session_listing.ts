import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { matchingApiKeys, matchingSessions, type SessionFilters } from '#sessions/filters'
import {
  describeSession,
  SESSION_COLUMNS,
  toSession,
  type Session,
  type SessionRow,
} from '#sessions/session'

/**
 * A session with whose it is, as operators see it.
 */
export type ListedSession = Session & { email: string | null }

/**
 * The order of a list: by sign-in, oldest or newest first, or by latest activity.
 */
export type ListOrder = 'oldest' | 'newest' | 'activity'

export type ListOptions = {
  order?: ListOrder
  limit?: number
  offset?: number
  /** Goes on behind the session of this number, in the order `oldest` or `newest`. */
  after?: number
}

/**
 * The live sessions that match, with the e-mails of their users.
 */
export async function listSessions(
  client: QueryClientContract,
  filters: SessionFilters,
  { order = 'oldest', limit, offset, after }: ListOptions = {}
): Promise<ListedSession[]> {
  const query = matchingSessions(client, filters)
    .leftJoin('users', 'users.id', 'sessions.user_id')
    .select(SESSION_COLUMNS.map((column) => `sessions.${column}`))
    .select('users.email')

  if (order === 'activity') query.orderBy('sessions.last_seen_at', 'desc')
  query.orderBy('sessions.seq', order === 'oldest' ? 'asc' : 'desc')
  if (after !== undefined) query.where('sessions.seq', order === 'oldest' ? '>' : '<', after)
  if (limit !== undefined) query.limit(limit)
  if (offset) query.offset(offset)
  const found = await query
  return found.map(toListedSession)
}

/**
 * How many live sessions match.
 */
export async function countSessions(
  client: QueryClientContract,
  filters: SessionFilters
): Promise<number> {
  const { total } = await matchingSessions(client, filters).count('* as total').firstOrFail()
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

function toListedSession(row: SessionRow & { email: string | null }): ListedSession {
  return { ...toSession(row), email: row.email }
}

/**
 * A session as operators see it: with whose it is. `currentId` is the session that asks.
 */
export function describeListedSession(session: ListedSession, currentId?: string) {
  const { id, ...rest } = describeSession(session, currentId)
  return { id, user: { id: session.userId, email: session.email }, ...rest }
}
