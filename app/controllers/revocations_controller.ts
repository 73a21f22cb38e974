import type { HttpContext } from '@adonisjs/core/http'
import { awaitRevocations } from '#app/event_log/revocations/await_revocations'
import { formatPlace, parsePlace, type EventPlace } from '#app/event_log/place'
import { presentPlace } from '#app/event_log/revocations/read_revocations'
import { E_CURSOR_GONE, E_VALIDATION_ERROR } from '#exceptions/errors'
import { clientLives } from '#app/service_clients/authenticate_client'
import { revocationsValidator } from '#validators/revocations'

/**
 * The feed of what has ended or changed, for services that cache what they were told of a token.
 */
export default class RevocationsController {
  async index({ request, response, serialize, serviceClient }: HttpContext) {
    const { after, limit = 100, wait = 0 } = await revocationsValidator.validate(request.qs())
    const place = await placeOf(after)

    const gone = new AbortController()
    response.response.once('close', () => gone.abort())
    const page = await awaitRevocations(
      { after: place, limit, waitMs: wait * 1000, mayWait: () => clientLives(serviceClient!.id) },
      gone.signal
    )
    response.header('Cache-Control', 'no-store')
    return serialize({ revocations: page.revocations, cursor: formatPlace(page.place) })
  }
}

const MALFORMED = {
  field: 'after',
  rule: 'cursor',
  message: 'The after field must be a cursor of an earlier answer, or now',
}

/**
 * Without a cursor the feed begins with the oldest entry that is kept; `now` begins with what comes.
 */
async function placeOf(after?: string): Promise<EventPlace | undefined> {
  if (after === undefined) return undefined
  if (after === 'now') return presentPlace()
  const place = parsePlace(after)
  if (!place) throw new E_VALIDATION_ERROR([MALFORMED])
  if (place === 'gone') throw new E_CURSOR_GONE()
  return place
}
