import type { HttpContext } from '@adonisjs/core/http'
import { endKeysOfUser } from '#app/accounts/end_keys_of_user'
import { findUserOfPath } from '#app/accounts/find_users'
import { keyIdOf, pageOfApiKeys } from '#app/api_keys/api_key'
import ApiKeyTransformer from '#transformers/api_key_transformer'
import { readReason } from '#validators/force_logout'
import { pageValidator } from '#validators/listings'

/**
 * The API keys of one user.
 */
export default class AdminUserApiKeysController {
  async index({ params, request, serialize }: HttpContext) {
    const { page = 1, perPage = 20 } = await pageValidator.validate(request.qs())
    const user = await findUserOfPath(params.user)
    const { keys, meta } = await pageOfApiKeys(user, { page, perPage })
    return serialize(ApiKeyTransformer.paginate(keys, meta))
  }

  async destroyAll(ctx: HttpContext) {
    return this.#end(ctx)
  }

  async destroy(ctx: HttpContext) {
    return this.#end(ctx, keyIdOf(ctx.params.key))
  }

  async #end({ administrator, params, request, serialize }: HttpContext, keyId?: number) {
    const { reason: note } = await readReason(request.body(), request.qs())
    const { id } = await findUserOfPath(params.user)
    const ended = await endKeysOfUser(id, { keyId, actor: administrator.actor, note })
    return serialize({ ended, sessions: [] })
  }
}
