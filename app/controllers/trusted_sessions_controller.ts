import type { HttpContext } from '@adonisjs/core/http'
import { confirmTrusted, signInTrusted } from '#app/accounts/trusted_sign_in'
import { deviceOf } from '#app/devices/device'
import { clientActor } from '#app/event_log/actor'
import { countSignIn } from '#app/metrics/count_sign_in'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { readTrustedConfirmation, readTrustedSignIn } from '#validators/trusted_sign_ins'

/**
 * Sessions that a trusted backend opens for users whom its own login knows.
 */
export default class TrustedSessionsController {
  async store({ request, response, serialize, serviceClient }: HttpContext) {
    const actor = clientActor(serviceClient!.id)
    const said = await readTrustedSignIn(request.body())
    const { user: given, create, limit, dpopJkt, authenticatedAt, ...choice } = said
    const { user, opened } = await countSignIn(() =>
      signInTrusted(
        { user: given, create, limit, actor },
        {
          ...choice,
          device: deviceOf(said.device),
          ip: said.ip ?? null,
          userAgent: said.userAgent ?? null,
          keyThumbprint: dpopJkt ?? null,
          authenticatedAt: authenticatedAt ?? undefined,
        }
      )
    )
    response.header('Cache-Control', 'no-store')
    return serialize(OpenedSessionTransformer.transform(opened, user))
  }

  async confirm({ params, request, serialize, serviceClient }: HttpContext) {
    const actor = clientActor(serviceClient!.id)
    const { authenticatedAt } = await readTrustedConfirmation(request.body())
    const confirmed = await confirmTrusted(params.id, {
      authenticatedAt: authenticatedAt ?? undefined,
      actor,
    })
    return serialize({ authenticatedAt: confirmed.toISOString() })
  }
}
