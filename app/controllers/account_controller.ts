import type { HttpContext } from '@adonisjs/core/http'
import { changeAccount } from '#app/accounts/change_account'
import { deleteAccount } from '#app/accounts/delete_account'
import { limitConfirmation } from '#app/rate_limits/limits'
import SessionTransformer from '#transformers/session_transformer'
import UserTransformer from '#transformers/user_transformer'
import { readAccountChanges } from '#validators/accounts'
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

  async update({ auth, request, serialize }: HttpContext) {
    const session = auth.getSessionOrFail()
    const user = await changeAccount(session, await readAccountChanges(request.body()))
    return serialize({
      user: UserTransformer.transform(user),
      session: SessionTransformer.transform(session, session.id),
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
