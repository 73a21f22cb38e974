import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { requests } from '#app/metrics/metrics'

type Series = ReturnType<typeof requests.labels>

/**
 * Counts every answer by method, route and status, and logs it at level `debug` with who asked.
 * Knows routes by their pattern, so that neither ids nor secrets of a URL become labels or logs.
 */
export default class CountRequestsMiddleware {
  readonly #series = new Map<string, Series>()

  async handle(ctx: HttpContext, next: NextFn) {
    await next()
    const status = ctx.response.getStatus()
    const route = ctx.route?.pattern ?? 'none'
    this.#seriesOf(ctx.route ? ctx.request.method() : 'ANY', route, status).inc()

    if (ctx.logger.isLevelEnabled('debug')) {
      const { user, session } = ctx.auth.use('api')
      ctx.logger.debug(
        { method: ctx.request.method(), route, status, user: user?.id, session: session?.id },
        'request answered'
      )
    }
  }

  #seriesOf(method: string, route: string, status: number): Series {
    const key = `${method} ${route} ${status}`
    let series = this.#series.get(key)
    if (!series) {
      series = requests.labels(method, route, String(status))
      this.#series.set(key, series)
    }
    return series
  }
}
