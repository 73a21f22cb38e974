import type { HttpContext } from '@adonisjs/core/http'
import { introspect } from '#app/oauth/introspection'
import { readOAuthRequest } from '#app/oauth/oauth_request'

/**
 * RFC 7662: a service asks whether a token is alive, and whose it is.
 */
export default class IntrospectionsController {
  async store({ request, response }: HttpContext) {
    const { token } = await readOAuthRequest(request.request, request.body(), 'introspect')
    const answer = await introspect(token)
    response.header('Cache-Control', 'no-store')
    return answer
  }
}
