import type { HttpContext } from '@adonisjs/core/http'
import { findUserOfPath } from '#app/accounts/find_users'
import { openSupport } from '#app/accounts/support'
import { userAgentOf } from '#app/devices/device'
import { E_NOT_FOUND } from '#exceptions/errors'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { readSupportOrder } from '#validators/support_sessions'

/**
 * Sessions that an administrator holds as a user.
 */
export default class AdminSupportSessionsController {
  async store({ administrator, params, request, response, serialize }: HttpContext) {
    const { reason: note, duration } = await readSupportOrder(request.body())
    const { id } = await findUserOfPath(params.user)
    const { actor, session } = administrator
    const support = await openSupport(id, {
      actor,
      note,
      duration,
      /** Of a service client these are the backend's, and not the person's. */
      ip: session && request.ip(),
      userAgent: session && userAgentOf(request.request),
    })
    if (!support) throw new E_NOT_FOUND()
    response.status(201).header('Cache-Control', 'no-store')
    return serialize(OpenedSessionTransformer.transform(support.opened, support.user))
  }
}
