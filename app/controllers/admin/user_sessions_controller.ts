import type { HttpContext } from '@adonisjs/core/http'
import db from '@adonisjs/lucid/services/db'
import { findUserOfPath } from '#app/accounts/find_users'
import { forceLogoutByAdmin } from '#app/force_logout/by_admin'
import { pageOfSessions } from '#app/sessions/list'
import AdminSessionTransformer from '#transformers/admin_session_transformer'
import ForceLogoutTransformer from '#transformers/force_logout_transformer'
import { readOrder } from '#validators/force_logout'
import { pageValidator } from '#validators/listings'

/**
 * The live sessions of one user.
 */
export default class AdminUserSessionsController {
  async index({ administrator, params, request, serialize }: HttpContext) {
    const { page = 1, perPage = 20 } = await pageValidator.validate(request.qs())
    const user = await findUserOfPath(params.user)
    const filters = { userIds: [user.id] }
    const { sessions, meta } = await pageOfSessions(db.connection(), filters, { page, perPage })
    const currentId = administrator.session?.id
    return serialize(AdminSessionTransformer.paginate(sessions, meta, currentId))
  }

  async destroy({ administrator, params, request, serialize }: HttpContext) {
    const order = await readOrder(request.body(), request.qs())
    const user = await findUserOfPath(params.user)
    const result = await forceLogoutByAdmin(administrator, { ...order, who: [user] })
    return serialize(ForceLogoutTransformer.transform(result, administrator.session?.id))
  }
}
