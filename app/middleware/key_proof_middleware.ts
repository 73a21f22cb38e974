import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { readKeyProof } from '#app/auth/session_binding'
import sessionsConfig from '#config/sessions'
import { E_INVALID_DPOP_PROOF } from '#exceptions/errors'

/**
 * Reads the proof of possession of a sign-in, before anything is said of the password. With
 * `SESSION_BINDING=key` there must be one.
 */
export default class KeyProofMiddleware {
  async handle({ auth, request }: HttpContext, next: NextFn) {
    const provenKey = await readKeyProof(request.request)
    if (provenKey === null && sessionsConfig.binding === 'key') {
      throw new E_INVALID_DPOP_PROOF(400, 'Send a proof of possession (DPoP) with a sign-in.')
    }
    auth.use('api').provenKey = provenKey
    return next()
  }
}
