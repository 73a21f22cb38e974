import type { HttpContext } from '@adonisjs/core/http'
import { listEvents } from '#app/event_log/list'
import EventTransformer from '#transformers/event_transformer'
import { eventListValidator } from '#validators/admin'

export default class AdminEventsController {
  async index({ request, serialize }: HttpContext) {
    const {
      page = 1,
      perPage = 20,
      user: userId,
      session: sessionId,
      ...filters
    } = await eventListValidator.validate(request.qs())
    const { events, meta } = await listEvents({ ...filters, userId, sessionId }, { page, perPage })
    return serialize(EventTransformer.paginate(events, meta).useVariant('forAdmins'))
  }
}
