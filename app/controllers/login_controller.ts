import type { HttpContext } from '@adonisjs/core/http'
import { readAccount, verifyCredentials } from '#app/accounts/credentials'
import { countSignIn } from '#app/metrics/count_sign_in'
import { limitSignIn } from '#app/rate_limits/limits'
import { deviceOf } from '#app/devices/device'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { loginValidator } from '#validators/auth'

export default class LoginController {
  async store({ request, response, auth, serialize }: HttpContext) {
    const { email, password, device, ...choice } = await loginValidator.validate(request.body())
    const { user, opened } = await countSignIn(async () => {
      const account = await readAccount(email)
      return limitSignIn(
        { email, ip: request.ip() },
        (caller) => verifyCredentials(account, password, caller),
        async (verified) => {
          const session = await auth.login(verified, { device: deviceOf(device), ...choice })
          return { user: verified, opened: session }
        }
      )
    })

    response.header('Cache-Control', 'no-store')
    return serialize(OpenedSessionTransformer.transform(opened, user))
  }
}
