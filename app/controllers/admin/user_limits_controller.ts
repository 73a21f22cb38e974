import type { HttpContext } from '@adonisjs/core/http'
import { findUserOfPath } from '#app/accounts/find_users'
import { setSessionLimit } from '#app/accounts/roles_and_limits'
import { E_NOT_FOUND } from '#exceptions/errors'
import UserTransformer from '#transformers/user_transformer'
import { sessionLimitValidator } from '#validators/sessions'

/**
 * How many sessions a user may hold.
 */
export default class AdminUserLimitsController {
  async update({ administrator, params, request, serialize }: HttpContext) {
    const { limit } = await sessionLimitValidator.validate(request.body())
    const { id } = await findUserOfPath(params.user)
    const user = await setSessionLimit(id, limit, administrator.actor)
    if (!user) throw new E_NOT_FOUND()
    return serialize({
      user: UserTransformer.transform(user),
      sessionLimit: user.sessionLimit,
    })
  }
}
