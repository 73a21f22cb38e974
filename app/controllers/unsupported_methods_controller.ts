import type { HttpContext } from '@adonisjs/core/http'
import { methodNotAllowed } from '#exceptions/oauth_error'

/**
 * Methods other than POST at `/oauth/*`: a token must not stand in a URL.
 */
export default class UnsupportedMethodsController {
  refuse(_: HttpContext) {
    throw methodNotAllowed()
  }
}
