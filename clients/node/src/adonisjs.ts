import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { Guard } from './guard.js'
import type { Identity } from './identity.js'
import type { GuardOptions, Requirements } from './options.js'
import { presentedBy } from './presented.js'

/**
 * A guard for AdonisJS 7. `requireSession()` is a middleware for routes; behind it `ctx.latchkey` says
 * whom the request speaks for.
 */
export function createGuard(options: GuardOptions) {
  const guard = new Guard(options)
  return {
    requireSession(requirements?: Requirements) {
      const wanted = guard.wanted(requirements)
      return async (ctx: HttpContext, next: NextFn) => {
        const outcome = await guard.check(presentedBy(ctx.request.request), wanted)
        if ('identity' in outcome) {
          ctx.latchkey = outcome.identity
          return next()
        }
        const { status, headers, body } = outcome.refusal
        for (const [name, value] of Object.entries(headers)) ctx.response.header(name, value)
        ctx.response.status(status).send(Buffer.from(body))
      }
    },
    close: () => guard.close(),
  }
}

declare module '@adonisjs/core/http' {
  interface HttpContext {
    /** Whom the request speaks for, behind `requireSession()`. */
    latchkey?: Identity
  }
}
