import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'

/**
 * Lets a request pass whose bearer token is alive. With `session: true` it must be a session's: an
 * API key can't manage keys, sessions or passwords.
 */
export default class AuthMiddleware {
  async handle({ auth }: HttpContext, next: NextFn, options: { session?: boolean } = {}) {
    await auth.authenticate()
    if (options.session) auth.getSessionOrFail()
    return next()
  }
}
