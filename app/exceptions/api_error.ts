import type { IncomingMessage } from 'node:http'
import { Exception } from '@adonisjs/core/exceptions'
import type { HttpContext } from '@adonisjs/core/http'
import { writeChallenge, type Challenge, type Scheme } from '#exceptions/challenges'
import { errorMessages } from '#exceptions/messages'

export type ErrorCode = keyof typeof errorMessages | 'E_SESSION_ENDED'

/**
 * What stands in `errors` of an answer.
 */
export type ErrorBody = { code: string; message: string } & Record<string, unknown>

/**
 * An error of the API's table. It renders itself, the same everywhere.
 */
export class ApiError extends Exception {
  declare code: ErrorCode
  readonly headers: Record<string, string>
  readonly details: Record<string, unknown>
  readonly challenge?: Challenge
  readonly scheme?: Scheme

  constructor(
    status: number,
    code: ErrorCode,
    options: {
      message?: string
      details?: Record<string, unknown>
      headers?: Record<string, string>
      challenge?: Challenge
      /** The scheme of the challenge; without it that of the request's token. */
      scheme?: Scheme
      cause?: unknown
    } = {}
  ) {
    const message = options.message ?? errorMessages[code as keyof typeof errorMessages]
    super(message, { status, code, cause: options.cause })
    this.headers = options.headers ?? {}
    this.details = options.details ?? {}
    this.challenge = options.challenge
    this.scheme = options.scheme
  }

  /**
   * The error object as clients and event streams get it.
   */
  toBody(): ErrorBody {
    return { code: this.code, message: this.message, ...this.details }
  }

  handle(error: this, { request, response }: HttpContext): void {
    for (const [name, value] of Object.entries(error.headers)) response.header(name, value)
    if (error.challenge) {
      const scheme = error.scheme ?? presentedScheme(request.request)
      response.header('WWW-Authenticate', writeChallenge(scheme, error.challenge))
    }
    response.status(error.status).send({ errors: [error.toBody()] })
  }
}

/**
 * A token that is bound to a key is refused before this unless it was presented as one (RFC 9449
 * §7.1), so what the request says is what its token wants.
 */
function presentedScheme({ headers }: IncomingMessage): Scheme {
  return /^\s*dpop\b/i.test(headers.authorization ?? '') ? 'DPoP' : 'Bearer'
}
