import type { HttpContext } from '@adonisjs/core/http'
import { askToChangeEmail } from '#app/accounts/email_verification'
import { limitMailedLink } from '#app/rate_limits/limits'
import { changeEmailValidator } from '#validators/emails'

export default class EmailsController {
  async update({ auth, request, response }: HttpContext) {
    const session = auth.getSessionOrFail()
    const { email } = await changeEmailValidator.validate(request.body())
    await limitMailedLink({ email, userId: session.userId, ip: request.ip() }, () =>
      askToChangeEmail(session, email)
    )
    response.status(202).send({
      data: { message: 'A mail with a link to confirm is on its way to the new address.' },
    })
  }
}
