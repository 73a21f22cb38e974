import type { IncomingMessage, ServerResponse } from 'node:http'
import { Guard } from './guard.js'
import type { Identity } from './identity.js'
import type { GuardOptions, Requirements } from './options.js'
import { presentedBy } from './presented.js'

type Request = IncomingMessage & { originalUrl?: string; latchkey?: Identity }

/**
 * A guard for Express 5, and for anything else with `(request, response, next)`. `requireSession()` is
 * a middleware; behind it `request.latchkey` says whom the request speaks for.
 */
export function createGuard(options: GuardOptions) {
  const guard = new Guard(options)
  return {
    requireSession(requirements?: Requirements) {
      const wanted = guard.wanted(requirements)
      return async (
        request: Request,
        response: ServerResponse,
        next: (error?: unknown) => void
      ) => {
        const outcome = await guard.check(presentedBy(request, request.originalUrl), wanted)
        if ('identity' in outcome) {
          request.latchkey = outcome.identity
          return next()
        }
        const { status, headers, body } = outcome.refusal
        response.writeHead(status, headers).end(body)
      }
    },
    close: () => guard.close(),
  }
}

declare global {
  namespace Express {
    interface Request {
      /** Whom the request speaks for, behind `requireSession()`. */
      latchkey?: Identity
    }
  }
}
