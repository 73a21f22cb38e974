import type { HttpContext } from '@adonisjs/core/http'
import { deleteAccount } from '#app/accounts/delete_account'
import { limitConfirmation } from '#app/rate_limits/limits'
import SessionTransformer from '#transformers/session_transformer'
import UserTransformer from '#transformers/user_transformer'
import { deleteAccountValidator } from '#validators/passwords'

export default class AccountController {
  async show({ auth, serialize }: HttpContext) {
    const user = auth.getUserOrFail()
    const { session } = auth
    return serialize({
      user: UserTransformer.transform(user),
      session: session ? SessionTransformer.transform(session, session.id) : null,
    })
  }

  async destroy({ auth, request, response }: HttpContext) {
    const { currentPassword } = await deleteAccountValidator.validate(request.body())
    const session = auth.getSessionOrFail()
    await limitConfirmation({ sessionId: session.id, ip: request.ip() }, (caller) =>
      deleteAccount(session, currentPassword, caller)
    )
    response.noContent()
  }
}
