import type { HttpContext } from '@adonisjs/core/http'
import { ownKeysLiveOn } from '#app/api_keys/api_key'
import { forgotPassword, resetPassword } from '#app/accounts/password_reset'
import { limitMailedLink, limitReset } from '#app/rate_limits/limits'
import { forgotPasswordValidator, resetPasswordValidator } from '#validators/passwords'

export default class PasswordResetsController {
  async store({ request, response }: HttpContext) {
    const { email } = await forgotPasswordValidator.validate(request.body())
    await limitMailedLink({ email, ip: request.ip() }, () => forgotPassword(email))
    response.status(202).send({
      data: { message: 'If there is such an account, a mail with a link is on its way.' },
    })
  }

  async update({ request, response }: HttpContext) {
    const { token, password } = await resetPasswordValidator.validate(request.body())
    const keys = await limitReset({ token, ip: request.ip() }, (caller) =>
      resetPassword(token, password, caller)
    )
    const message = ownKeysLiveOn(keys)
    if (message === null) response.noContent()
    else response.status(200).send({ data: { message } })
  }
}
