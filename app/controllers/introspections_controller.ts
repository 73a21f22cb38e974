import type { HttpContext } from '@adonisjs/core/http'
import { introspect } from '#app/oauth/introspection'
import { claimedClient, readOAuthRequest } from '#app/oauth/oauth_request'
import { limitIntrospection } from '#app/rate_limits/limits'

/**
 * RFC 7662: a service asks whether a token is alive, and whose it is.
 */
export default class IntrospectionsController {
  async store({ request, response }: HttpContext) {
    const form = request.body()
    const clientId = claimedClient(request.request, form)
    const answer = await limitIntrospection({ clientId, ip: request.ip() }, async () => {
      const { token } = await readOAuthRequest(request.request, form, 'introspect')
      return introspect(token, form.used === 'true')
    })
    response.header('Cache-Control', 'no-store')
    return answer
  }
}
