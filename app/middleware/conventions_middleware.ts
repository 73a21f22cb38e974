import { randomUUID } from 'node:crypto'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { SECURITY_HEADERS } from '#app/http/security_headers'

const securityHeaders = Object.entries(SECURITY_HEADERS)

/**
 * What a request id may look like. Anything else from a client is replaced, so that it can't
 * write into logs or headers what it likes.
 */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

/**
 * What holds for every request and its answer, before anything can answer: the security headers,
 * an id (the client's or a new one) that the answer says too, and JSON whatever the client accepts.
 *
 * One middleware for the three: each one costs every request as much as all of this does.
 */
export default class ConventionsMiddleware {
  handle({ request, response }: HttpContext, next: NextFn) {
    for (const [name, value] of securityHeaders) response.header(name, value)

    const { headers } = request.request
    const given = headers['x-request-id']
    const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
    headers['x-request-id'] = id
    response.header('X-Request-Id', id)

    headers.accept = 'application/json'
    return next()
  }
}
