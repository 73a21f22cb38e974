import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import type { Administrator } from '#app/accounts/administrator'
import { clientActor } from '#app/event_log/actor'
import { requireClient } from '#app/service_clients/require_client'
import { E_FORBIDDEN } from '#exceptions/errors'

/**
 * Lets a request pass that speaks for an admin through a session (an API key administers nothing), or
 * that a service client with the ability `manage` makes.
 */
export default class AdminMiddleware {
  async handle(ctx: HttpContext, next: NextFn) {
    ctx.administrator = await administratorOf(ctx)
    return next()
  }
}

async function administratorOf({ auth, request }: HttpContext): Promise<Administrator> {
  if (/^\s*basic\b/i.test(request.header('authorization') ?? '')) {
    const { id } = await requireClient(request.request, 'manage')
    return { actor: clientActor(id), session: null }
  }
  const user = await auth.authenticate()
  const session = auth.getSessionOrFail()
  if (!user.isAdmin || session.kind === 'support')
    throw new E_FORBIDDEN({ message: 'This needs the admin role.' })
  return { actor: `user:${user.id}`, session }
}

declare module '@adonisjs/core/http' {
  interface HttpContext {
    /** Who makes the request, on the admin routes. */
    administrator: Administrator
  }
}
