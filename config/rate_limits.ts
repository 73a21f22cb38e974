import env from '#start/env'
import type { RateLimit } from '#start/env_rules'

export type LimitedWork = 'signIn' | 'signUp' | 'refresh' | 'reset' | 'introspect'

/**
 * How often each kind of work may fail before it is refused for the rest of the window; null is
 * no limit.
 */
export const rateLimits: Record<LimitedWork, RateLimit | null> = {
  signIn: env.get('RATE_LIMIT_SIGN_IN'),
  signUp: env.get('RATE_LIMIT_SIGN_UP'),
  refresh: env.get('RATE_LIMIT_REFRESH'),
  reset: env.get('RATE_LIMIT_RESET'),
  introspect: env.get('RATE_LIMIT_INTROSPECT'),
}
