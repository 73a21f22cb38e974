import type { HttpContext } from '@adonisjs/core/http'
import { verifyCredentials } from '#accounts/credentials'
import { deviceOf } from '#sessions/device'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { loginValidator } from '#validators/auth'

export default class LoginController {
  async store({ request, response, auth, serialize }: HttpContext) {
    const { email, password, device, ...choice } = await loginValidator.validate(request.body())
    const user = await verifyCredentials(email, password)
    const opened = await auth.login(user, { device: deviceOf(device), ...choice })

    response.header('Cache-Control', 'no-store')
    return serialize(OpenedSessionTransformer.transform(opened, user))
  }
}
