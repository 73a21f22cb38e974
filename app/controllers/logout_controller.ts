import type { HttpContext } from '@adonisjs/core/http'
import { readHolder } from '#app/auth/session_binding'
import { limitRefresh } from '#app/rate_limits/limits'
import { logOutByRefreshToken } from '#app/sessions/log_out'
import { logoutValidator } from '#validators/auth'

export default class LogoutController {
  /**
   * A device that was away for long still signs out: by its access token past its time, or by a
   * refresh token, which decides alone where it is given.
   */
  async current({ auth, request, response }: HttpContext) {
    const { refreshToken } = await logoutValidator.validate(request.body())
    if (typeof refreshToken === 'string') {
      await limitRefresh({ refreshToken, ip: request.ip() }, async () =>
        logOutByRefreshToken(refreshToken, await readHolder(request.request))
      )
    } else {
      await auth.use('api').authenticate({ expired: true })
      await auth.logout()
    }
    response.noContent()
  }

  async others({ auth, serialize }: HttpContext) {
    return serialize({ ended: await auth.logoutOthers() })
  }

  async all({ auth, serialize }: HttpContext) {
    return serialize({ ended: await auth.logoutEverywhere() })
  }
}
