import type { HttpContext } from '@adonisjs/core/http'
import { clearContested, listContested } from '#app/accounts/contested'
import { findUserOfPath } from '#app/accounts/find_users'
import { E_NOT_FOUND } from '#exceptions/errors'
import ContestedAccountTransformer from '#transformers/contested_account_transformer'
import { pageValidator } from '#validators/listings'

/**
 * Accounts on which devices supersede each other again and again.
 */
export default class AdminContestedUsersController {
  async index({ request, serialize }: HttpContext) {
    const { page = 1, perPage = 20 } = await pageValidator.validate(request.qs())
    const { accounts, meta } = await listContested({ page, perPage })
    return serialize(ContestedAccountTransformer.paginate(accounts, meta))
  }

  async destroy({ administrator, params, response }: HttpContext) {
    const { id } = await findUserOfPath(params.user)
    const wasContested = await clearContested(id, administrator.actor)
    if (!wasContested) throw new E_NOT_FOUND()
    return response.noContent()
  }
}
