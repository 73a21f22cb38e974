import type { HttpContext } from '@adonisjs/core/http'
import { exchangeJwt } from '#app/accounts/exchange_jwt'
import { countSignIn } from '#app/metrics/count_sign_in'
import { limitExchange } from '#app/rate_limits/limits'
import { signInOf } from '#app/auth/guard'
import legacyJwtConfig from '#config/legacy_jwt'
import { E_NOT_FOUND } from '#exceptions/errors'
import { readSignInProof } from '#app/auth/session_binding'
import { deviceOf } from '#app/devices/device'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { exchangeValidator } from '#validators/auth'

export default class ExchangeController {
  async store(ctx: HttpContext) {
    if (!legacyJwtConfig.until) throw new E_NOT_FOUND()

    const { jwt, device } = await exchangeValidator.validate(ctx.request.body())
    const { user, opened } = await countSignIn(() =>
      limitExchange({ jwt, ip: ctx.request.ip() }, async () => {
        const proven = await readSignInProof(ctx.request.request)
        return exchangeJwt(jwt, { ...signInOf(ctx), ...proven, device: deviceOf(device) })
      })
    )
    ctx.response.header('Cache-Control', 'no-store')
    return ctx.serialize(OpenedSessionTransformer.transform(opened, user))
  }
}
