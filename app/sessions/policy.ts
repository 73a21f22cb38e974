import { platformOf, userAgentFamily } from '#app/devices/device'
import sessionsConfig from '#config/sessions'
import type User from '#models/user'
import type { Session } from '#app/sessions/session'

/**
 * How many sessions a user holds, and may hold; null: as many as they like.
 */
export type Quota = { used: number; max: number | null }

/**
 * The user's session limit; null when there is none. The user's own limit stands before that of
 * the role, which stands before that of the configuration.
 */
export function sessionLimitOf(user: Pick<User, 'sessionLimit' | 'role'>): number | null {
  const limit = user.sessionLimit ?? sessionsConfig.limitPerRole[user.role] ?? sessionsConfig.limit
  return limit === 0 ? null : limit
}

/**
 * The sessions that count against a limit: those of support take no place, evict nobody and are
 * evicted by nobody.
 */
export function countedSessions<Counted extends Pick<Session, 'kind'>>(live: Counted[]): Counted[] {
  return live.filter(({ kind }) => kind !== 'support')
}

/**
 * Which of a user's live sessions are too many once a newcomer joins: least recently seen first.
 * `all` is ordered by latest activity. `newcomer` is null when nobody joins (a lowered limit).
 */
export function surplusSessions(
  all: Session[],
  limit: number | null,
  newcomer: { platform: string | null } | null
): Session[] {
  const live = countedSessions(all)
  const surplus = new Set<Session>()
  for (const [platform, max] of Object.entries(sessionsConfig.limitPerPlatform)) {
    const held = live.filter((session) => isOn(session.device, platform))
    const joining = newcomer && isOn(newcomer, platform) ? 1 : 0
    takeSurplus(held, max - joining, surplus)
  }
  if (limit !== null) {
    const left = live.filter((session) => !surplus.has(session))
    takeSurplus(left, limit - (newcomer ? 1 : 0), surplus)
  }
  return live.filter((session) => surplus.has(session)).reverse()
}

/**
 * The limit that a newcomer runs into, and the sessions that stand in the way. Where the limit of
 * its platform is reached, giving up a session of another platform would not let it in, so only
 * that platform's are named, unless more than those must go.
 */
export function limitReached(
  all: Session[],
  limit: number | null,
  newcomer: { platform: string | null }
): { quota: Quota; sessions: Session[] } {
  const live = countedSessions(all)
  const surplus = limit === null ? 0 : live.length - limit + 1
  const rules = Object.entries(sessionsConfig.limitPerPlatform)
  const [platform, max] = rules.find(([name]) => isOn(newcomer, name)) ?? []
  if (platform !== undefined && max !== undefined) {
    const sessions = live.filter((session) => isOn(session.device, platform))
    if (sessions.length >= max && sessions.length - max + 1 >= surplus) {
      return { quota: { used: sessions.length, max }, sessions }
    }
  }
  return { quota: { used: live.length, max: limit }, sessions: live }
}

/**
 * However the platform is spelt: in the configuration, or by a session from before platforms were
 * normalized.
 */
function isOn(device: { platform: string | null }, platform: string): boolean {
  return device.platform !== null && platformOf(device.platform) === platformOf(platform)
}

function takeSurplus(sessions: Session[], room: number, surplus: Set<Session>) {
  for (const session of sessions.slice(Math.max(room, 0))) surplus.add(session)
}

/**
 * Whether a session that is bound to its user agent is used by another one
 * (`SESSION_BINDING=user_agent`). `SESSION_BINDING_ENDS` says whether that ends it.
 */
export function isUsedByOther(session: Session, userAgent: string | null): boolean {
  if (sessionsConfig.binding !== 'user_agent' || session.kind === 'support') return false
  return userAgentFamily(session.userAgent) !== userAgentFamily(userAgent)
}
