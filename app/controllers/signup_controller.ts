import type { HttpContext } from '@adonisjs/core/http'
import { signUp, signUpToVerify } from '#app/accounts/sign_up'
import { limitSignUp } from '#app/rate_limits/limits'
import { signInOf } from '#app/auth/guard'
import { E_SIGNUP_CLOSED } from '#exceptions/errors'
import { readSignInProof } from '#app/auth/session_binding'
import { deviceOf } from '#app/devices/device'
import accountsConfig from '#config/accounts'
import env from '#start/env'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { signupValidator } from '#validators/auth'

export default class SignupController {
  async store(ctx: HttpContext) {
    if (env.get('SIGNUP') === 'closed') throw new E_SIGNUP_CLOSED()

    const { device, ...account } = await signupValidator.validate(ctx.request.body())
    const asker = { email: account.email, ip: ctx.request.ip() }
    if (accountsConfig.verifiesEmail) {
      await limitSignUp(asker, (caller) => signUpToVerify(account, caller))
      return ctx.response.status(202).send({
        data: {
          message: 'A mail is on its way. Open its link to confirm the address, then sign in.',
        },
      })
    }

    const { user, opened } = await limitSignUp(asker, async (caller) => {
      const proven = await readSignInProof(ctx.request.request)
      return signUp(account, { ...signInOf(ctx), ...proven, device: deviceOf(device) }, caller)
    })

    ctx.response.status(201).header('Cache-Control', 'no-store')
    return ctx.serialize(OpenedSessionTransformer.transform(opened, user))
  }
}
