import type { HttpContext } from '@adonisjs/core/http'
import { changePassword } from '#accounts/change_password'
import SessionTokensTransformer from '#transformers/session_tokens_transformer'
import { changePasswordValidator } from '#validators/passwords'

export default class PasswordsController {
  async update({ auth, request, response, serialize }: HttpContext) {
    const session = auth.getSessionOrFail()
    const change = await changePasswordValidator.validate(request.body())
    const tokens = await changePassword(session, auth.getUserOrFail(), change)

    response.header('Cache-Control', 'no-store')
    return serialize(SessionTokensTransformer.transform(tokens, session))
  }
}
