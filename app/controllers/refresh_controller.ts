import type { HttpContext } from '@adonisjs/core/http'
import { limitRefresh } from '#app/rate_limits/limits'
import { readKeyProof, useKeyProof } from '#app/auth/session_binding'
import { userAgentOf } from '#app/devices/user_agent'
import { renewSession } from '#app/sessions/renew'
import { sessionStreams } from '#app/streams/session_streams'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import { refreshValidator } from '#validators/auth'

export default class RefreshController {
  async store({ request, response, serialize }: HttpContext) {
    const { refreshToken } = await refreshValidator.validate(request.body())
    const { tokens, session } = await limitRefresh({ refreshToken, ip: request.ip() }, async () => {
      const proof = await readKeyProof(request.request)
      return useKeyProof(proof, () =>
        renewSession(refreshToken, {
          keyThumbprint: proof?.keyThumbprint ?? null,
          userAgent: userAgentOf(request.request),
        })
      )
    })
    sessionStreams.recheck(session.id)
    response.header('Cache-Control', 'no-store')
    return serialize(SessionTokensTransformer.transform(tokens, session))
  }
}
