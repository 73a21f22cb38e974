import type { HttpContext } from '@adonisjs/core/http'
import { readiness } from '#app/health/readiness'

export default class HealthController {
  /**
   * The process answers: restart it when it does not.
   */
  async live({ serialize }: HttpContext) {
    return serialize({ status: 'ok' })
  }

  /**
   * It can serve: send it traffic. Tells what is wrong, but neither addresses nor versions.
   */
  async ready({ response, serialize }: HttpContext) {
    const report = await readiness()
    response.header('Cache-Control', 'no-store')
    if (!report.isHealthy) response.status(503).header('Retry-After', '1')
    return serialize({
      status: report.isHealthy ? 'ok' : 'error',
      checks: report.checks.map(({ name, status, message }) => ({
        name,
        status,
        ...(status !== 'ok' && { message }),
      })),
    })
  }
}
