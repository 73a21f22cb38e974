import type { HttpContext } from '@adonisjs/core/http'
import db from '@adonisjs/lucid/services/db'
import { liveSessionsOf } from '#app/sessions/list'
import { pageOfEndedSessions } from '#app/sessions/list_ended'
import { logOut, renameSession } from '#app/sessions/log_out'
import EndedSessionTransformer from '#transformers/ended_session_transformer'
import SessionTransformer from '#transformers/session_transformer'
import { pageValidator, sessionListValidator } from '#validators/listings'
import { renameSessionValidator } from '#validators/sessions'

export default class SessionsController {
  async index({ auth, request, serialize }: HttpContext) {
    const current = auth.getSessionOrFail()
    const { ended } = await sessionListValidator.validate(request.qs())
    if (ended) {
      const { page = 1, perPage = 20 } = await pageValidator.validate(request.qs())
      const { id } = auth.getUserOrFail()
      const past = await pageOfEndedSessions(db.connection(), id, { page, perPage })
      return serialize(EndedSessionTransformer.paginate(past.sessions, past.meta))
    }
    const sessions = await liveSessionsOf(db.connection(), auth.getUserOrFail())
    return serialize(SessionTransformer.transform(sessions, current.id))
  }

  async update({ auth, request, params, serialize }: HttpContext) {
    const current = auth.getSessionOrFail()
    const { name } = await renameSessionValidator.validate(request.body())
    const renamed = await renameSession(current, params.id, name)
    return serialize(SessionTransformer.transform(renamed, current.id))
  }

  async destroy({ auth, params, response }: HttpContext) {
    await logOut(auth.getSessionOrFail(), { sessionId: params.id })
    response.noContent()
  }
}
