import type { HttpContext } from '@adonisjs/core/http'
import { limitRefresh } from '#app/rate_limits/limits'
import { readKeyProof } from '#app/auth/session_binding'
import { userAgentOf } from '#app/devices/user_agent'
import { renewSession } from '#app/sessions/renew'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import { refreshValidator } from '#validators/auth'

export default class RefreshController {
  async store({ request, response, serialize }: HttpContext) {
    const { refreshToken } = await refreshValidator.validate(request.body())
    const { tokens, session } = await limitRefresh({ refreshToken, ip: request.ip() }, async () => {
      const proven = await readKeyProof(request.request)
      return renewSession(refreshToken, { ...proven, userAgent: userAgentOf(request.request) })
    })
    response.header('Cache-Control', 'no-store')
    return serialize(SessionTokensTransformer.transform(tokens, session))
  }
}
