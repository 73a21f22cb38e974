import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { requireClient } from '#app/service_clients/require_client'
import type { ClientAbility, ServiceClient } from '#app/service_clients/service_client'

/**
 * Lets a request pass that a service client makes, by HTTP Basic, if it has the ability.
 */
export default class ServiceClientMiddleware {
  async handle(ctx: HttpContext, next: NextFn, options: { ability: ClientAbility }) {
    ctx.serviceClient = await requireClient(ctx.request.request, options.ability)
    return next()
  }
}

declare module '@adonisjs/core/http' {
  interface HttpContext {
    /** The service client that makes the request, where the route wants one. */
    serviceClient?: ServiceClient
  }
}
