import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'

/**
 * Marks the routes of Latchkey itself, among those of an application that is built around it: a
 * support session only reads there.
 */
export default class OwnApiMiddleware {
  handle(ctx: HttpContext, next: NextFn) {
    ctx.isOwnApi = true
    return next()
  }
}

declare module '@adonisjs/core/http' {
  interface HttpContext {
    /** Whether the route is one of Latchkey itself. */
    isOwnApi?: boolean
  }
}
