import type { HttpContext } from '@adonisjs/core/http'
import { changePassword } from '#app/accounts/change_password'
import { limitConfirmation } from '#app/rate_limits/limits'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import { changePasswordValidator } from '#validators/passwords'

export default class PasswordsController {
  async update({ auth, request, response, serialize }: HttpContext) {
    const session = auth.getSessionOrFail()
    const change = await changePasswordValidator.validate(request.body())
    const tokens = await limitConfirmation({ sessionId: session.id, ip: request.ip() }, (caller) =>
      changePassword(session, change, caller)
    )

    response.header('Cache-Control', 'no-store')
    return serialize(SessionTokensTransformer.transform(tokens, session))
  }
}
