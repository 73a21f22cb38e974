import type { HttpContext } from '@adonisjs/core/http'
import { listEvents } from '#app/event_log/list'
import EventTransformer from '#transformers/event_transformer'
import { pageValidator } from '#validators/listings'

export default class AccountEventsController {
  async index({ auth, request, serialize }: HttpContext) {
    const { page = 1, perPage = 20 } = await pageValidator.validate(request.qs())
    const { events, meta } = await listEvents(
      { userId: auth.getUserOrFail().id },
      { page, perPage }
    )
    return serialize(EventTransformer.paginate(events, meta))
  }
}
