import { rateLimits, type LimitedWork } from '#config/rate_limits'
import type { RateLimit } from '#start/env_rules'

/**
 * Puts rate limits in force, which tests run without. Returns what puts the old ones back, for a
 * test's cleanup.
 */
export function limitRates(limits: Partial<Record<LimitedWork, RateLimit>>): () => void {
  const before = { ...rateLimits }
  Object.assign(rateLimits, limits)
  return () => {
    Object.assign(rateLimits, before)
  }
}
