import type { HttpContext } from '@adonisjs/core/http'
import { awaitRevocations } from '#app/event_log/revocations/await_revocations'
import { formatCursor, parseCursor } from '#app/event_log/revocations/read_revocations'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import { clientLives } from '#app/service_clients/authenticate_client'
import { endOfLog, LOG_START } from '#app/event_log/read'
import RevocationTransformer from '#transformers/revocation_transformer'
import { revocationsValidator } from '#validators/revocations'

/**
 * The feed of ended sessions, for services that cache what they were told of a token.
 */
export default class RevocationsController {
  async index({ request, response, serialize, serviceClient }: HttpContext) {
    const { after, limit = 100, wait = 0 } = await revocationsValidator.validate(request.qs())
    const place = await placeOf(after)
    if (!place) throw new E_VALIDATION_ERROR([MALFORMED])

    const gone = new AbortController()
    response.response.once('close', () => gone.abort())
    const page = await awaitRevocations(
      { after: place, limit, waitMs: wait * 1000, mayWait: () => clientLives(serviceClient!.id) },
      gone.signal
    )
    response.header('Cache-Control', 'no-store')
    return serialize({
      revocations: RevocationTransformer.transform(page.revocations),
      cursor: formatCursor(page.cursor),
    })
  }
}

const MALFORMED = {
  field: 'after',
  rule: 'cursor',
  message: 'The after field must be a cursor of an earlier answer, or now',
}

/**
 * Without a cursor the feed begins with the oldest end that is kept; `now` begins with what comes.
 */
async function placeOf(after?: string) {
  if (after === undefined) return LOG_START
  return after === 'now' ? endOfLog() : parseCursor(after)
}
