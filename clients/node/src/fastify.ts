import type { FastifyReply, FastifyRequest } from 'fastify'
import { Guard } from './guard.js'
import type { Identity } from './identity.js'
import type { GuardOptions, Requirements } from './options.js'
import { presentedBy } from './presented.js'

/**
 * A guard for Fastify 5. `requireSession()` is a hook for `onRequest`; behind it `request.latchkey`
 * says whom the request speaks for.
 */
export function createGuard(options: GuardOptions) {
  const guard = new Guard(options)
  return {
    requireSession(requirements?: Requirements) {
      const wanted = guard.wanted(requirements)
      return async (request: FastifyRequest, reply: FastifyReply) => {
        const outcome = await guard.check(presentedBy(request.raw, request.originalUrl), wanted)
        if ('identity' in outcome) {
          request.latchkey = outcome.identity
          return
        }
        const { status, headers, body } = outcome.refusal
        return reply.code(status).headers(headers).send(Buffer.from(body))
      }
    },
    close: () => guard.close(),
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom the request speaks for, behind `requireSession()`. */
    latchkey?: Identity
  }
}
