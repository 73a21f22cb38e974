import type { HttpContext } from '@adonisjs/core/http'
import db from '@adonisjs/lucid/services/db'
import { liveSessionsOf } from '#app/sessions/list'
import { logOut, renameSession } from '#app/sessions/log_out'
import SessionTransformer from '#transformers/session_transformer'
import { renameSessionValidator } from '#validators/sessions'

export default class SessionsController {
  async index({ auth, serialize }: HttpContext) {
    const current = auth.getSessionOrFail()
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
