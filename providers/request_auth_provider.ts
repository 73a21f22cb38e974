import { HttpContext } from '@adonisjs/core/http'
import type { ApplicationService } from '@adonisjs/core/types'
import { ApiAuthenticator } from '#app/auth/authenticator'

/**
 * Gives every request its `auth`, when it is first asked for. The framework's middleware for it
 * would cost every request, those that ask for no user too.
 */
export default class RequestAuthProvider {
  constructor(protected app: ApplicationService) {}

  async start() {
    const { config } = await this.app.container.make('auth.manager')
    HttpContext.getter(
      'auth',
      function (this: HttpContext) {
        return new ApiAuthenticator(this, config)
      },
      true
    )
  }
}

declare module '@adonisjs/core/http' {
  interface HttpContext {
    auth: ApiAuthenticator
  }
}
