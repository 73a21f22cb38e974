import type { HttpContext } from '@adonisjs/core/http'
import { exchange } from '#app/accounts/exchange'
import { countSignIn } from '#app/metrics/count_sign_in'
import { limitExchange } from '#app/rate_limits/limits'
import { signInOf } from '#app/auth/guard'
import legacyJwtConfig from '#config/legacy_jwt'
import legacyTokensConfig from '#config/legacy_tokens'
import { E_NOT_FOUND, E_VALIDATION_ERROR } from '#exceptions/errors'
import { readSignInProof } from '#app/auth/session_binding'
import { deviceOf } from '#app/devices/device'
import OpenedSessionTransformer from '#transformers/opened_session_transformer'
import { exchangeValidator } from '#validators/auth'

const EITHER = { field: 'token', rule: 'either', message: 'Send either jwt or token, not both.' }

export default class ExchangeController {
  async store(ctx: HttpContext) {
    if (!legacyJwtConfig.until && !legacyTokensConfig.until) throw new E_NOT_FOUND()

    const { jwt, token, device } = await exchangeValidator.validate(ctx.request.body())
    if (jwt !== undefined && token !== undefined) throw new E_VALIDATION_ERROR([EITHER])
    const presented = jwt === undefined ? { token: token! } : { jwt }
    const { user, opened } = await countSignIn(() =>
      limitExchange({ credential: jwt ?? token!, ip: ctx.request.ip() }, async () => {
        const proven = await readSignInProof(ctx.request.request)
        return exchange(presented, { ...signInOf(ctx), ...proven, device: deviceOf(device) })
      })
    )
    ctx.response.header('Cache-Control', 'no-store')
    return ctx.serialize(OpenedSessionTransformer.transform(opened, user))
  }
}
