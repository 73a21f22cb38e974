import db from '@adonisjs/lucid/services/db'
import { toEvent } from '#app/event_log/read'

/**
 * Which entries: all that are given must match.
 */
export type EventFilters = {
  userId?: number
  sessionId?: string
  type?: string
  reason?: string
  actor?: string
  from?: Date
  until?: Date
}

/**
 * `page` counts from 1.
 */
export type Page = { page: number; perPage: number }

/**
 * One page of the log, newest first, with the paginator's numbers. Entries of replaced tokens, one a
 * refresh, are for programs: they are listed only where that type is asked for.
 */
export async function listEvents(filters: EventFilters, { page, perPage }: Page) {
  const query = db.from('session_events').orderBy('id', 'desc')
  if (filters.userId !== undefined) query.where('user_id', filters.userId)
  if (filters.sessionId !== undefined) query.where('session_id', filters.sessionId)
  if (filters.type !== undefined) query.where('type', filters.type)
  else query.whereNot('type', 'tokens.replaced')
  if (filters.reason !== undefined) query.where('reason', filters.reason)
  if (filters.actor !== undefined) query.where('actor', filters.actor)
  if (filters.from !== undefined) query.where('occurred_at', '>=', filters.from)
  if (filters.until !== undefined) query.where('occurred_at', '<', filters.until)

  const paginator = await query.paginate(page, perPage)
  return { events: paginator.all().map(toEvent), meta: paginator.getMeta() }
}
