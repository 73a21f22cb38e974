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
    ctx: HttpContext,
    next: NextFn,
    options: { session?: boolean; ability?: string; fresh?: string } = {}
  ) {
    const { auth } = ctx
    await auth.authenticate()
    if (auth.session?.kind === 'support' && ctx.isOwnApi) refuseChanges(ctx)
    if (options.session) auth.getSessionOrFail()
    const { ability } = options
    if (ability && !auth.use('api').allows(ability)) throw new E_FORBIDDEN({ scope: ability })
    if (options.fresh) {
      requireFresh(auth.getSessionOrFail(), string.milliseconds.parse(options.fresh) / 1000)
    }
    return next()
  }
}

/**
 * Support looks at an account and does the user's work on the team's own API, and changes nothing of
 * the account's own: it may only sign out, for which `POST /auth/logout` authenticates by itself.
 */
function refuseChanges({ request }: HttpContext): void {
  if (['GET', 'HEAD'].includes(request.method())) return
  throw new E_FORBIDDEN({
    message:
      'A support session changes nothing of the account. Sign out with POST /api/v1/auth/logout.',
    challenge: false,
  })
}
