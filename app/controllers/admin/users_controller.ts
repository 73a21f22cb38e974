import type { HttpContext } from '@adonisjs/core/http'
import { listUsers } from '#app/accounts/find_users'
import AdminUserTransformer from '#transformers/admin_user_transformer'
import { userListValidator } from '#validators/admin'

export default class AdminUsersController {
  async index({ request, serialize }: HttpContext) {
    const { search, page = 1, perPage = 20 } = await userListValidator.validate(request.qs())
    const { users, meta } = await listUsers(search, { page, perPage })
    return serialize(AdminUserTransformer.paginate(users, meta))
  }
}
