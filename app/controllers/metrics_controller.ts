import { safeEqual } from '@adonisjs/core/helpers'
import type { HttpContext } from '@adonisjs/core/http'
import { readCredentials } from '#app/auth/bearer'
import { E_NOT_FOUND, E_UNAUTHORIZED_ACCESS } from '#exceptions/errors'
import { scrape } from '#app/metrics/scrape'
import env from '#start/env'

/**
 * Figures for Prometheus, for whoever knows `METRICS_TOKEN`. Without that variable there is no
 * such route.
 */
export default class MetricsController {
  async show({ request, response }: HttpContext) {
    const secret = env.get('METRICS_TOKEN')
    if (!secret) throw new E_NOT_FOUND()

    const given = readCredentials(request.request)?.token ?? null
    if (given === null || !safeEqual(given, secret.release())) {
      throw new E_UNAUTHORIZED_ACCESS({ hadToken: given !== null })
    }
    const { contentType, body } = await scrape()
    response.header('Cache-Control', 'no-store').header('Content-Type', contentType).send(body)
  }
}
