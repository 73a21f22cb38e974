import { randomUUID } from 'node:crypto'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'

/**
 * What a request id may look like. Anything else from a client is replaced, so that it can't
 * write into logs or headers what it likes.
 */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

/**
 * Gives every request an id, its own or the client's, and says it in the answer.
 */
export default class RequestIdMiddleware {
  handle({ request, response }: HttpContext, next: NextFn) {
    const { headers } = request.request
    const given = headers['x-request-id']
    const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
    headers['x-request-id'] = id
    response.header('X-Request-Id', id)
    return next()
  }
}
