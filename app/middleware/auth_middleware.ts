import type { HttpContext } from '@adonisjs/core/http'
import string from '@adonisjs/core/helpers/string'
import type { NextFn } from '@adonisjs/core/types/http'
import { requireFresh } from '#app/auth/freshness'
import { E_FORBIDDEN } from '#exceptions/errors'

/**
 * Lets a request pass whose bearer token is alive. With `session: true` it must be a session's: an
 * API key can't manage keys, sessions or passwords. With an `ability` the token must hold it:
 * those of a session hold them all, a key no more than `API_KEY_ABILITIES`. With `fresh` its user
 * must have shown who they are at most so long ago (`'10m'`), which an API key never did.
 */
export default class AuthMiddleware {
  async handle(
    { auth }: HttpContext,
    next: NextFn,
    options: { session?: boolean; ability?: string; fresh?: string } = {}
  ) {
    await auth.authenticate()
    if (options.session) auth.getSessionOrFail()
    const { ability } = options
    if (ability && !auth.use('api').allows(ability)) throw new E_FORBIDDEN({ scope: ability })
    if (options.fresh) {
      requireFresh(auth.getSessionOrFail(), string.milliseconds.parse(options.fresh) / 1000)
    }
    return next()
  }
}
