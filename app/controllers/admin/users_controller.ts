import type { HttpContext } from '@adonisjs/core/http'
import { deleteUser } from '#app/accounts/delete_account'
import { findUserOfPath, listUsers, toListed } from '#app/accounts/find_users'
import { changeUser, saveUser } from '#app/accounts/manage_users'
import { E_NOT_FOUND } from '#exceptions/errors'
import type User from '#models/user'
import AdminUserTransformer from '#transformers/admin_user_transformer'
import { readNewUser, readUserChanges, userListValidator } from '#validators/admin'
import { readReason } from '#validators/force_logout'

export default class AdminUsersController {
  async index({ request, serialize }: HttpContext) {
    const { search, page = 1, perPage = 20 } = await userListValidator.validate(request.qs())
    const { users, meta } = await listUsers(search, { page, perPage })
    return serialize(AdminUserTransformer.paginate(users, meta))
  }

  async show({ params, serialize }: HttpContext) {
    return serialize(await describe(await findUserOfPath(params.user)))
  }

  async store({ administrator, request, response, serialize }: HttpContext) {
    const given = await readNewUser(request.body())
    const { user, made } = await saveUser(given, administrator.actor)
    response.status(made ? 201 : 200)
    return serialize(await describe(user))
  }

  async update({ administrator, params, request, serialize }: HttpContext) {
    const changes = await readUserChanges(request.body())
    const found = await findUserOfPath(params.user)
    const user = await changeUser(found, changes, administrator.actor)
    if (!user) throw new E_NOT_FOUND()
    return serialize(await describe(user))
  }

  async destroy({ administrator, params, request, response }: HttpContext) {
    const { reason: note } = await readReason(request.body(), request.qs())
    const { id } = await findUserOfPath(params.user)
    const deleted = await deleteUser(id, { actor: administrator.actor, note })
    if (!deleted) throw new E_NOT_FOUND()
    response.noContent()
  }
}

async function describe(user: User) {
  const [listed] = await toListed([user])
  return AdminUserTransformer.transform(listed)
}
