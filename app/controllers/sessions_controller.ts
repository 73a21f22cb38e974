import type { HttpContext } from '@adonisjs/core/http'
import db from '@adonisjs/lucid/services/db'
import { liveSessionsOf } from '#sessions/live_sessions'
import SessionTransformer from '#transformers/session_transformer'

export default class SessionsController {
  async index({ auth, serialize }: HttpContext) {
    const current = auth.getSessionOrFail()
    const sessions = await liveSessionsOf(db.connection(), auth.getUserOrFail())
    return serialize(SessionTransformer.transform(sessions, current.id))
  }
}
