import type { Context, Next } from 'hono'
import { Guard } from './guard.js'
import type { Identity } from './identity.js'
import type { GuardOptions, Requirements } from './options.js'

/**
 * A guard for Hono on Node.js. `requireSession()` is a middleware; behind it `c.get('latchkey')` says
 * whom the request speaks for.
 */
export function createGuard(options: GuardOptions) {
  const guard = new Guard(options)
  return {
    requireSession(requirements?: Requirements) {
      const wanted = guard.wanted(requirements)
      return async (c: Context, next: Next) => {
        const { method, url, headers } = c.req.raw
        const { pathname, search } = new URL(url)
        const outcome = await guard.check(
          {
            authorization: all(headers.get('authorization')),
            dpop: all(headers.get('dpop')),
            userAgent: headers.get('user-agent') ?? undefined,
            method,
            path: pathname + search,
          },
          wanted
        )
        if ('identity' in outcome) {
          c.set('latchkey', outcome.identity)
          return next()
        }
        const { status, headers: said, body } = outcome.refusal
        return new Response(body, { status, headers: said })
      }
    },
    close: () => guard.close(),
  }
}

/**
 * Repeated headers arrive as one with commas, which Latchkey refuses as it does two.
 */
function all(value: string | null): string[] {
  return value === null ? [] : [value]
}

declare module 'hono' {
  interface ContextVariableMap {
    /** Whom the request speaks for, behind `requireSession()`. */
    latchkey: Identity
  }
}
