import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { platformOf } from '#app/devices/device'
import { aliveKeySql, aliveSql, UNENDED_SQL } from '#app/sessions/liveness'

/**
 * Which live sessions are meant: all conditions must match. They mean the same wherever sessions
 * are listed or ended, in a terminal and over HTTP.
 */
export type SessionFilters = {
  /** Sessions of these users; undefined: of everyone. */
  userIds?: number[]
  /** The session's id. */
  session?: string
  /** The device's id, or its name, as the client said it. */
  device?: string
  platform?: string
  /** Not seen for at least so many milliseconds. */
  idleFor?: number
  /** Signed in before this moment. */
  before?: Date
  /** Leaves out those of admins, as their rows stand when the statement runs. */
  spareAdmins?: boolean
}

type Query = ReturnType<QueryClientContract['from']>

/**
 * The filters that choose among the sessions of a user.
 */
const NARROWING = ['session', 'device', 'platform', 'idleFor', 'before'] as const

/**
 * Whether the filters choose among the sessions of their users, or mean all of them.
 */
export function isNarrowed(filters: SessionFilters): boolean {
  return NARROWING.some((name) => filters[name] !== undefined)
}

/**
 * Whether the filters name what only a session has: an API key is on no device.
 */
export function meansSessionsOnly(filters: SessionFilters): boolean {
  return (
    filters.session !== undefined || filters.device !== undefined || filters.platform !== undefined
  )
}

/**
 * The live sessions that match, to list and to count; or those that are not, whether or not their end
 * is written.
 */
export function matchingSessions(
  client: QueryClientContract,
  filters: SessionFilters,
  which: 'live' | 'ended' = 'live'
): Query {
  const { sql, bindings } = aliveSql(clock.now())
  const condition = which === 'live' ? sql : `NOT (${sql})`
  return narrow(client.from('sessions').whereRaw(condition, bindings), filters)
}

/**
 * The sessions that match and may have to be ended: the live ones, and those that time has ended
 * without a written end. Whoever ends sessions chooses among these and writes the ends by time
 * first (#app/sessions/end), so that a session which only looks idle is not spared.
 */
export function sessionsToEnd(client: QueryClientContract, filters: SessionFilters): Query {
  const open = client.from('sessions').whereRaw(UNENDED_SQL)
  return narrow(open, filters)
}

function narrow(query: Query, filters: SessionFilters): Query {
  const { userIds, session, device, platform, idleFor, before } = filters
  if (userIds) query.whereIn('sessions.user_id', userIds)
  if (session !== undefined) query.where('sessions.id', session)
  if (device !== undefined) {
    query.where((either) => {
      either.where('sessions.device_id', device).orWhere('sessions.device_name', device)
    })
  }
  if (platform !== undefined) {
    /** Sessions from before platforms were normalized are found as they are. */
    query.whereIn('sessions.platform', [platform, platformOf(platform) ?? platform])
  }
  if (idleFor !== undefined)
    query.where('sessions.last_seen_at', '<=', new Date(clock.millis() - idleFor))
  if (before) query.where('sessions.created_at', '<', before)
  if (filters.spareAdmins) query.whereNotIn('sessions.user_id', admins)
  return query
}

/**
 * The live API keys that match: idle since their last use, or since they were made. Keys are on
 * no device, so filters that name one match none.
 */
export function matchingApiKeys(client: QueryClientContract, filters: SessionFilters): Query {
  const now = clock.now()
  const alive = aliveKeySql(now)
  const query = client.from('api_tokens').whereRaw(alive.sql, alive.bindings)
  const { userIds, idleFor, before } = filters
  if (meansSessionsOnly(filters)) query.whereRaw('1 = 0')
  if (userIds) query.whereIn('api_tokens.tokenable_id', userIds)
  if (idleFor !== undefined) {
    query.whereRaw('coalesce(api_tokens.last_used_at, api_tokens.created_at) <= ?', [
      new Date(now.getTime() - idleFor),
    ])
  }
  if (before) query.where('api_tokens.created_at', '<', before)
  if (filters.spareAdmins) query.whereNotIn('api_tokens.tokenable_id', admins)
  return query
}

const admins = (query: Query) => query.from('users').where('role', 'admin').select('id')
