import type { HttpContext } from '@adonisjs/core/http'
import { ownKeysLiveOn } from '#app/api_keys/api_key'
import { changePassword } from '#app/accounts/change_password'
import { limitConfirmation } from '#app/rate_limits/limits'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import { changePasswordValidator } from '#validators/passwords'

export default class PasswordsController {
  async update({ auth, request, response, serialize }: HttpContext) {
    const session = auth.getSessionOrFail()
    const change = await changePasswordValidator.validate(request.body())
    const { tokens, keys } = await limitConfirmation(
      { sessionId: session.id, ip: request.ip() },
      (caller) => changePassword(session, change, caller)
    )

    response.header('Cache-Control', 'no-store')
    const answer = new SessionTokensTransformer(tokens, session).toObject()
    const message = ownKeysLiveOn(keys)
    return serialize({ ...answer, ...(message !== null && { message }) })
  }
}
