import type { HttpContext } from '@adonisjs/core/http'
import { readOAuthRequest } from '#app/oauth/oauth_request'
import { revokeToken } from '#app/oauth/revocation'

/**
 * RFC 7009: a service revokes a token on behalf of its user.
 */
export default class TokenRevocationsController {
  /**
   * §2.2: the answer is 200 whatever the token was, so it is decided before the token is looked at.
   */
  async store({ request, response }: HttpContext) {
    const { token, client } = await readOAuthRequest(request.request, request.body(), 'revoke')
    response.status(200).header('Cache-Control', 'no-store').header('Content-Length', '0')
    await revokeToken(token, client)
    return response.send('')
  }
}
