import type { HttpContext } from '@adonisjs/core/http'
import { disableUser, enableUser } from '#app/accounts/disabled_users'
import { findUserOfPath } from '#app/accounts/find_users'
import { E_NOT_FOUND } from '#exceptions/errors'
import DisabledUserTransformer from '#transformers/disabled_user_transformer'
import { readReason } from '#validators/force_logout'

/**
 * Accounts that nobody signs in to.
 */
export default class AdminDisabledUsersController {
  async store({ administrator, params, request, serialize }: HttpContext) {
    const { reason: note } = await readReason(request.body(), request.qs())
    const { id } = await findUserOfPath(params.user)
    const { actor, session } = administrator
    const disabled = await disableUser(id, { actor, note }, { later: true })
    if (!disabled) throw new E_NOT_FOUND()
    return serialize(DisabledUserTransformer.transform(disabled, session?.userId))
  }

  async destroy({ administrator, params, request, serialize }: HttpContext) {
    const { reason: note } = await readReason(request.body(), request.qs())
    const { id } = await findUserOfPath(params.user)
    const { actor, session } = administrator
    const user = await enableUser(id, { actor, note })
    if (!user) throw new E_NOT_FOUND()
    const enabled = { user, ended: 0, apiKeysEnded: 0 }
    return serialize(DisabledUserTransformer.transform(enabled, session?.userId))
  }
}
