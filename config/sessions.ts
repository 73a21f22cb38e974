import env from '#start/env'
import type { RateLimit } from '#start/env_rules'

export type OnLimit = 'evict' | 'reject'

/**
 * How many sessions a user may hold, how long they live, and what API keys may. Durations are in milliseconds.
 */
export type SessionPolicy = {
  /** Sessions per user; 0 means no limit. */
  limit: number
  /** Overrides `limit` for users of a role. A user's own limit (column) overrides both. */
  limitPerRole: Record<string, number>
  /** Sessions per platform, besides the limit. */
  limitPerPlatform: Record<string, number>
  /** At the limit: end the least recently seen session, or refuse the newcomer. */
  onLimit: OnLimit
  accessTokenTtl: number
  /** 0: no refresh tokens; the access token slides with use instead. */
  refreshTokenTtl: number
  idleTimeout: number
  /** The idle timeout of sessions on a device that many people use (`device.shared`). */
  sharedIdle: number
  maxLifetime: number
  /** What a session's tokens are bound to besides their secret; `key` demands a proof at sign-in. */
  binding: 'none' | 'user_agent' | 'key'
  /** Whether use by another user agent ends the session instead of being refused alone. */
  bindingEnds: boolean
  /** How long a spent refresh token answers with the same tokens, from its last answer or their first use. */
  refreshRetryWindow: number
  /** How long an ended token is explained to its holder. */
  explainFor: number
  /** What API keys may be allowed: the words that other services trust. */
  apiKeyAbilities: string[]
  /** So many sign-ins that supersede another device make an account contested; null: none is. */
  contest: RateLimit | null
  /** How long a contested account refuses sign-ins on another device; 0: it does not. */
  contestCooldown: number
  /** Whether a sign-in from a device never seen before is told by mail. */
  notifyNewDevice: boolean
  /** Whether users are told by mail of support sessions. */
  notifySupport: boolean
}

const sessionsConfig: SessionPolicy = {
  limit: env.get('SESSION_LIMIT'),
  limitPerRole: {},
  limitPerPlatform: env.get('SESSION_LIMIT_PER_PLATFORM'),
  onLimit: env.get('SESSION_ON_LIMIT'),
  accessTokenTtl: env.get('ACCESS_TOKEN_TTL'),
  refreshTokenTtl: env.get('REFRESH_TOKEN_TTL'),
  idleTimeout: env.get('SESSION_IDLE_TIMEOUT'),
  sharedIdle: env.get('SESSION_SHARED_IDLE'),
  maxLifetime: env.get('SESSION_MAX_LIFETIME'),
  binding: env.get('SESSION_BINDING'),
  bindingEnds: env.get('SESSION_BINDING_ENDS') === 'true',
  refreshRetryWindow: env.get('REFRESH_RETRY_WINDOW'),
  explainFor: 30 * 24 * 60 * 60 * 1000,
  apiKeyAbilities: env.get('API_KEY_ABILITIES'),
  contest: env.get('SESSION_CONTEST'),
  contestCooldown: env.get('SESSION_CONTEST_COOLDOWN'),
  notifyNewDevice: env.get('NOTIFY_NEW_DEVICE') === 'on',
  notifySupport: env.get('NOTIFY_SUPPORT') === 'on',
}

/**
 * How long a session may go unused, in milliseconds. Without refresh tokens nothing renews an
 * access token but use, so its lifetime slides with use and is the idle timeout.
 */
export function idleTimeout(): number {
  const { idleTimeout: timeout, refreshTokenTtl, accessTokenTtl } = sessionsConfig
  return refreshTokenTtl > 0 ? timeout : Math.min(timeout, accessTokenTtl)
}

/**
 * The same for one session, where others may go unused for `timeout`: on a shared device for
 * `SESSION_SHARED_IDLE` at most.
 */
export function idleTimeoutOf({ kind }: { kind: string }, timeout = idleTimeout()): number {
  return kind === 'shared' ? Math.min(timeout, sessionsConfig.sharedIdle) : timeout
}

export default sessionsConfig
