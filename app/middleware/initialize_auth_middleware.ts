import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { ApiAuthenticator } from '#auth/authenticator'

type Config = ConstructorParameters<typeof ApiAuthenticator>[1]

/**
 * Gives every request its `auth`.
 */
export default class InitializeAuthMiddleware {
  #config?: Config

  async handle(ctx: HttpContext, next: NextFn) {
    this.#config ??= await this.#readConfig()
    ctx.auth = new ApiAuthenticator(ctx, this.#config)
    return next()
  }

  async #readConfig(): Promise<Config> {
    const manager = await app.container.make('auth.manager')
    return manager.config
  }
}

declare module '@adonisjs/core/http' {
  interface HttpContext {
    auth: ApiAuthenticator
  }
}
