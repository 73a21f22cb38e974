import type { HttpContext } from '@adonisjs/core/http'
import { findUserId, noSuchUser } from '#app/accounts/find_users'
import { listEvents } from '#app/event_log/list'
import EventTransformer from '#transformers/event_transformer'
import { eventListValidator } from '#validators/admin'

export default class AdminEventsController {
  async index({ request, serialize }: HttpContext) {
    const {
      page = 1,
      perPage = 20,
      user,
      session: sessionId,
      ...filters
    } = await eventListValidator.validate(request.qs())
    const userId = user === undefined ? undefined : await findUserId(user)
    if (userId === null) throw noSuchUser('user')
    const { events, meta } = await listEvents({ ...filters, userId, sessionId }, { page, perPage })
    return serialize(EventTransformer.paginate(events, meta).useVariant('forAdmins'))
  }
}
