import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { authenticateClient } from '#app/service_clients/authenticate_client'
import { readBasic } from '#app/service_clients/credentials'
import type { ClientAbility, ServiceClient } from '#app/service_clients/service_client'
import { E_FORBIDDEN, E_INVALID_REQUEST, E_UNAUTHORIZED_CLIENT } from '#exceptions/errors'

/**
 * Lets a request pass that a service client makes, by HTTP Basic, if it has the ability.
 */
export default class ServiceClientMiddleware {
  async handle(ctx: HttpContext, next: NextFn, options: { ability: ClientAbility }) {
    const presented = readBasic(ctx.request.request)
    if (presented.type === 'several') {
      throw new E_INVALID_REQUEST('There is more than one Authorization header.')
    }
    if (presented.type !== 'pair') throw new E_UNAUTHORIZED_CLIENT()
    const client = await authenticateClient(presented.credentials)
    if (!client) throw new E_UNAUTHORIZED_CLIENT()
    if (!client.abilities.includes(options.ability)) {
      const message = `This service client lacks the ability ${options.ability}.`
      throw new E_FORBIDDEN({ message, challenge: false })
    }
    ctx.serviceClient = client
    return next()
  }
}

declare module '@adonisjs/core/http' {
  interface HttpContext {
    /** The service client that makes the request, where the route wants one. */
    serviceClient?: ServiceClient
  }
}
