import type { HttpContext } from '@adonisjs/core/http'
import { limitRefresh } from '#app/rate_limits/limits'
import { readHolder } from '#app/auth/session_binding'
import { renewSession } from '#app/sessions/renew'
import { sessionStreams } from '#app/streams/session_streams'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import { refreshValidator } from '#validators/auth'

export default class RefreshController {
  async store({ request, response, serialize }: HttpContext) {
    const { refreshToken } = await refreshValidator.validate(request.body())
    const { tokens, session } = await limitRefresh({ refreshToken, ip: request.ip() }, async () =>
      renewSession(refreshToken, await readHolder(request.request))
    )
    sessionStreams.recheck(session.id)
    response.header('Cache-Control', 'no-store')
    return serialize(SessionTokensTransformer.transform(tokens, session))
  }
}
