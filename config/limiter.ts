import { defineConfig } from '@adonisjs/limiter'
import type { InferLimiters } from '@adonisjs/limiter/types'
import { LedgerStore } from '#app/rate_limits/ledger_store'
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

/**
 * The package's table in the application's database, through a store of our own: the package's
 * store leaves a savepoint open on SQLite when the database is locked, and takes one statement or
 * more for every key.
 */
const limiterConfig = defineConfig({
  default: 'database',
  stores: { database: (options) => new LedgerStore(options) },
})

export default limiterConfig

declare module '@adonisjs/limiter/types' {
  interface LimitersList extends InferLimiters<typeof limiterConfig> {}
}
