import type { HttpContext } from '@adonisjs/core/http'
import { requireFresh } from '#app/auth/freshness'
import { identityHeaders } from '#app/forward_auth/identity_headers'
import { originalRequest } from '#app/forward_auth/original_request'
import type { Session } from '#app/sessions/session'
import { readMaxAge } from '#validators/forward_auth'
import { ApiError } from '#exceptions/api_error'
import { E_UNAUTHORIZED_ACCESS } from '#exceptions/errors'

/**
 * A proxy asks whether a request may pass to the backend behind it: nginx's `auth_request`, the
 * ForwardAuth of Traefik, Caddy's `forward_auth`.
 */
export default class ForwardAuthController {
  /**
   * Proxies know 200 and 401: a malformed header of the client is a 401 here too, while a malformed
   * `max_age`, which the proxy's configuration says, is a 400. The headers are written past the
   * framework, which drops empty ones.
   */
  async show({ auth, request, response }: HttpContext) {
    const maxAge = readMaxAge(request.request)
    const guard = auth.use('api')
    const demand = (session: Session | null) => {
      if (maxAge !== null) requireFresh(session, maxAge)
    }
    guard.behalf = { ...originalRequest(request.request), demand }
    await guard.authenticate().catch((error) => {
      if (!(error instanceof ApiError) || error.status !== 400) throw error
      throw new E_UNAUTHORIZED_ACCESS({ hadToken: true })
    })
    const token = guard.token!
    demand(token.session)
    for (const [name, value] of Object.entries(identityHeaders(token))) {
      response.response.setHeader(name, value)
    }
    return response.header('Cache-Control', 'no-store').status(200).send('')
  }
}
