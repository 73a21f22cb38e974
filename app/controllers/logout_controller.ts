import type { HttpContext } from '@adonisjs/core/http'

export default class LogoutController {
  async current({ auth, response }: HttpContext) {
    await auth.logout()
    response.noContent()
  }

  async others({ auth, serialize }: HttpContext) {
    return serialize({ ended: await auth.logoutOthers() })
  }

  async all({ auth, serialize }: HttpContext) {
    return serialize({ ended: await auth.logoutEverywhere() })
  }
}
