import type { HttpContext } from '@adonisjs/core/http'
import { readKeyProof } from '#auth/binding/binding'
import { renewSession } from '#sessions/renew_session'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import { refreshValidator } from '#validators/auth'

export default class RefreshController {
  async store({ request, response, serialize }: HttpContext) {
    const { refreshToken } = await refreshValidator.validate(request.body())
    const { tokens, session } = await renewSession(refreshToken, {
      keyThumbprint: await readKeyProof(request.request),
      userAgent: request.header('user-agent') ?? null,
    })
    response.header('Cache-Control', 'no-store')
    return serialize(SessionTokensTransformer.transform(tokens, session))
  }
}
