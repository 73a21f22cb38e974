import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { E_FORBIDDEN } from '#exceptions/errors'

/**
 * Lets a request pass that speaks for an admin through a session: an API key administers nothing.
 */
export default class AdminMiddleware {
  async handle({ auth }: HttpContext, next: NextFn) {
    const user = await auth.authenticate()
    auth.getSessionOrFail()
    if (!user.isAdmin) throw new E_FORBIDDEN({ message: 'This needs the admin role.' })
    return next()
  }
}
