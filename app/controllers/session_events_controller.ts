import type { HttpContext } from '@adonisjs/core/http'
import { sessionStreams } from '#app/streams/session_streams'

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
  'Connection': 'close',
}

/**
 * What happens to the session of the request, as it happens (server-sent events).
 */
export default class SessionEventsController {
  /**
   * The answer is written past the framework, which sends nothing once its headers are out. HEAD
   * gets the headers alone.
   */
  async show({ auth, request, response }: HttpContext) {
    const session = auth.getSessionOrFail()
    const { hash, expiresAt } = auth.use('api').token!
    if (request.method() === 'HEAD') {
      for (const [name, value] of Object.entries(HEADERS)) response.header(name, value)
      return response.status(200).send('')
    }
    response.relayHeaders()
    const opener = { session, hash, expiresAt }
    await sessionStreams.open(opener, response.response, HEADERS, request.ip())
  }
}
