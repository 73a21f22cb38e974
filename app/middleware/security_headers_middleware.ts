import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { SECURITY_HEADERS } from '#app/http_server/security_headers'

const headers = Object.entries(SECURITY_HEADERS)

/**
 * Sets the headers that every answer carries, before anything else can answer.
 */
export default class SecurityHeadersMiddleware {
  handle({ response }: HttpContext, next: NextFn) {
    for (const [name, value] of headers) response.header(name, value)
    return next()
  }
}
