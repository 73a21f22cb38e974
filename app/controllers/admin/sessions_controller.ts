import type { HttpContext } from '@adonisjs/core/http'
import { findUserBySession } from '#app/accounts/find_users'
import { forceLogoutByAdmin } from '#app/force_logout/by_admin'
import ForceLogoutTransformer from '#transformers/force_logout_transformer'
import { readOrderForSession } from '#validators/force_logout'

export default class AdminSessionsController {
  async destroy({ administrator, params, request, serialize }: HttpContext) {
    const order = await readOrderForSession(request.body(), request.qs())
    const user = await findUserBySession(params.id)
    const only = { ...order, session: params.id, who: [user] }
    const result = await forceLogoutByAdmin(administrator, only)
    return serialize(ForceLogoutTransformer.transform(result, administrator.session?.id))
  }
}
