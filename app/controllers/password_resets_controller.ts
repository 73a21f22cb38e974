import type { HttpContext } from '@adonisjs/core/http'
import { forgotPassword } from '#accounts/forgot_password'
import { resetPassword } from '#accounts/reset_password'
import { forgotPasswordValidator, resetPasswordValidator } from '#validators/passwords'

export default class PasswordResetsController {
  async store({ request, response }: HttpContext) {
    const { email } = await forgotPasswordValidator.validate(request.body())
    await forgotPassword(email)
    response.status(202).send({
      data: { message: 'If there is such an account, a mail with a link is on its way.' },
    })
  }

  async update({ request, response }: HttpContext) {
    const { token, password } = await resetPasswordValidator.validate(request.body())
    await resetPassword(token, password)
    response.noContent()
  }
}
