import type { HttpContext } from '@adonisjs/core/http'
import { forceLogoutByAdmin, readWho } from '#app/force_logout/by_admin'
import ForceLogoutTransformer from '#transformers/force_logout_transformer'
import { readSelection } from '#validators/force_logout'

export default class AdminForceLogoutsController {
  async store({ administrator, request, serialize }: HttpContext) {
    const { users, all, ...order } = await readSelection(request.body(), request.qs())
    const who = await readWho({ users, all })
    const result = await forceLogoutByAdmin(administrator, { ...order, who })
    return serialize(ForceLogoutTransformer.transform(result, administrator.session?.id))
  }
}
