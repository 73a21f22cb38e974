import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import type { Page } from '#app/event_log/list'
import { writeDueEndsOf } from '#app/sessions/end'
import { matchingSessions, type SessionFilters } from '#app/sessions/filters'
import { describeListedSession, readListed, type ListedSession } from '#app/sessions/list'
import { describeSession } from '#app/sessions/session'
import { findEnd } from '#app/sessions/session_end'
import type { SessionEnd } from '#exceptions/errors'

/**
 * A session that has ended, with the reason that its holder is told.
 */
export type EndedSession = ListedSession & Pick<SessionEnd, 'reason' | 'endedAt'>

/**
 * One page of a user's ended sessions, newest end first, with the paginator's numbers. Ends that are
 * due are written first; of very many that a force logout covers the backfill writes the rest.
 */
export async function pageOfEndedSessions(
  client: QueryClientContract,
  userId: number,
  { page, perPage }: Page
) {
  const ended = () => matchingSessions(client, { userIds: [userId] }, 'ended')
  const due = await ended().whereNull('sessions.ended_at').select('sessions.id').first()
  if (due) await writeDueEndsOf(userId)
  const paginator = await ended()
    .whereNotNull('sessions.ended_at')
    .orderBy('sessions.ended_at', 'desc')
    .orderBy('sessions.seq', 'desc')
    .select('sessions.id')
    .paginate(page, perPage)
  const ids = paginator.all().map(({ id }) => id as string)
  const listed = await readListed(client.from('sessions').whereIn('sessions.id', ids))
  const byId = new Map(listed.map((session) => [session.id, session]))
  const sessions = await withEnds(
    client,
    ids.flatMap((id) => byId.get(id) ?? [])
  )
  return { sessions, meta: paginator.getMeta() }
}

/**
 * The ended sessions that match, newest sign-in first, with how their users are named. `after` goes on
 * behind the session of this number.
 */
export async function listEndedSessions(
  client: QueryClientContract,
  filters: SessionFilters,
  { limit, after }: { limit?: number; after?: number } = {}
): Promise<EndedSession[]> {
  const ended: EndedSession[] = []
  for (;;) {
    const query = matchingSessions(client, filters, 'ended').orderBy('sessions.seq', 'desc')
    if (after !== undefined) query.where('sessions.seq', '<', after)
    const wanted = limit === undefined ? undefined : limit - ended.length
    if (wanted !== undefined) query.limit(wanted)
    const found = await readListed(query)
    ended.push(...(await withEnds(client, found)))
    if (wanted === undefined || found.length < wanted || ended.length === limit) return ended
    after = found.at(-1)!.seq
  }
}

/**
 * An end by time is written before it is told; a session that was used since it was read lives, and
 * is left out.
 */
async function withEnds(
  client: QueryClientContract,
  sessions: ListedSession[]
): Promise<EndedSession[]> {
  const ended: EndedSession[] = []
  for (const session of sessions) {
    let end = await findEnd(client, session.id)
    if (!end) {
      await writeDueEndsOf(session.userId)
      end = await findEnd(client, session.id)
    }
    if (end) ended.push({ ...session, reason: end.reason, endedAt: end.endedAt })
  }
  return ended
}

/**
 * An ended session as its user sees it.
 */
export function describeEndedSession(session: EndedSession) {
  return { ...describeSession(session), ...endOf(session) }
}

/**
 * The same as operators see it.
 */
export function describeListedEndedSession(session: EndedSession) {
  return { ...describeListedSession(session), ...endOf(session) }
}

const endOf = ({ reason, endedAt }: EndedSession) => ({ reason, endedAt: endedAt.toISOString() })
