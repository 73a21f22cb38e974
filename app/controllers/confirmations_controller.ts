import type { HttpContext } from '@adonisjs/core/http'
import { confirmSignIn } from '#app/accounts/confirm_sign_in'
import { limitConfirmation } from '#app/rate_limits/limits'
import { confirmValidator } from '#validators/passwords'

export default class ConfirmationsController {
  async store({ auth, request, serialize }: HttpContext) {
    const session = auth.getSessionOrFail()
    const { password } = await confirmValidator.validate(request.body())
    const authenticatedAt = await limitConfirmation(
      { sessionId: session.id, ip: request.ip() },
      (caller) => confirmSignIn(session, password, caller)
    )
    return serialize({ authenticatedAt: authenticatedAt.toISOString() })
  }
}
