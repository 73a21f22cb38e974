import type { HttpContext } from '@adonisjs/core/http'
import { askToVerify, confirmEmail } from '#app/accounts/email_verification'
import { limitFollowedLink, limitMailedLink } from '#app/rate_limits/limits'
import { confirmEmailValidator, verifyEmailValidator } from '#validators/emails'

export default class EmailConfirmationsController {
  async store({ request, response }: HttpContext) {
    const { email } = await verifyEmailValidator.validate(request.body())
    await limitMailedLink({ email, ip: request.ip() }, () => askToVerify(email))
    response.status(202).send({
      data: { message: 'If there is an account to confirm, a mail with a link is on its way.' },
    })
  }

  async update({ request, response }: HttpContext) {
    const { token } = await confirmEmailValidator.validate(request.body())
    await limitFollowedLink({ token, ip: request.ip() }, () => confirmEmail(token))
    response.noContent()
  }
}
