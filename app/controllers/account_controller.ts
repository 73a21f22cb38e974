import type { HttpContext } from '@adonisjs/core/http'
import SessionTransformer from '#transformers/session_transformer'
import UserTransformer from '#transformers/user_transformer'

export default class AccountController {
  async show({ auth, serialize }: HttpContext) {
    const user = auth.getUserOrFail()
    const { session } = auth
    return serialize({
      user: UserTransformer.transform(user),
      session: session ? SessionTransformer.transform(session, session.id) : null,
    })
  }
}
