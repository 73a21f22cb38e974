import type { HttpContext } from '@adonisjs/core/http'
import { readAccount } from '#app/accounts/credentials'
import { checkPassword, signInWith } from '#app/accounts/sign_in'
import { countSignIn } from '#app/metrics/count_sign_in'
import { limitSignIn } from '#app/rate_limits/limits'
import { readSignInProof } from '#app/auth/session_binding'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { loginValidator } from '#validators/auth'

export default class LoginController {
  async store({ request, response, auth, serialize }: HttpContext) {
    const { email, password, device, ...choice } = await loginValidator.validate(request.body())
    const { user, opened } = await countSignIn(async () => {
      const account = await readAccount(email)
      const attempt = { email, password, account }
      return limitSignIn(
        { email, ip: request.ip() },
        async (caller) => {
          auth.use('api').provenKey = await readSignInProof(request.request)
          return checkPassword({ ...attempt, caller })
        },
        (checked) =>
          signInWith(checked, async (verified) => ({
            user: verified,
            opened: await auth.login(verified, { device, ...choice }),
          }))
      )
    })

    response.header('Cache-Control', 'no-store')
    return serialize(OpenedSessionTransformer.transform(opened, user))
  }
}
