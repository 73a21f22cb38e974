import type { EventType } from '#app/event_log/append'
import type { LoggedEvent } from '#app/event_log/read'

/**
 * What consumers of the feed are told: whatever makes an answer about a token wrong that they may have
 * kept. `id` and `type` are with all of them.
 */
export type Revocation = { id: number; type: string } & Record<string, unknown>

type Told = { type: string } & Record<string, unknown>

/**
 * What changed of an account.
 */
const account =
  (what: 'role' | 'email' | 'disabled' | 'enabled' | 'deleted') =>
  ({ userId }: LoggedEvent): Told => ({ type: 'account.changed', userId, what })

/**
 * How entries of the log are told. The log has its own words for people who read it; what is not
 * here changes no answer.
 */
const TOLD: Partial<Record<EventType, (event: LoggedEvent) => Told>> = {
  'session.ended': ({ sessionId, userId, reason, occurredAt }) => ({
    type: 'session.ended',
    sessionId,
    userId,
    reason,
    endedAt: occurredAt.toISOString(),
  }),
  'tokens.replaced': ({ sessionId, userId }) => ({ type: 'tokens.replaced', sessionId, userId }),
  'session.changed': ({ sessionId, userId, data }) => ({
    type: 'session.changed',
    sessionId,
    userId,
    what: data.what,
  }),
  'watermark': ({ userId, reason, occurredAt, data }) => ({
    type: 'watermark',
    userId,
    reason,
    at: occurredAt.toISOString(),
    apiKeys: data.apiKeys,
  }),
  'api_key.ended': ({ userId, data }) => ({ type: 'api_key.ended', apiKeyId: data.id, userId }),
  'user.role_changed': account('role'),
  'email.changed': account('email'),
  'email.verified': account('email'),
  'user.disabled': account('disabled'),
  'user.enabled': account('enabled'),
  'user.deleted': account('deleted'),
}

/**
 * The types of the log that the feed tells of.
 */
export const LOGGED_REVOCATIONS = Object.keys(TOLD) as EventType[]

export function toRevocation(event: LoggedEvent): Revocation {
  return { id: event.id, ...TOLD[event.type]!(event) }
}
