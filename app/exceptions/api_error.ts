import { Exception } from '@adonisjs/core/exceptions'
import type { HttpContext } from '@adonisjs/core/http'
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

  constructor(
    status: number,
    code: ErrorCode,
    options: {
      message?: string
      details?: Record<string, unknown>
      headers?: Record<string, string>
      cause?: unknown
    } = {}
  ) {
    const message = options.message ?? errorMessages[code as keyof typeof errorMessages]
    super(message, { status, code, cause: options.cause })
    this.headers = options.headers ?? {}
    this.details = options.details ?? {}
  }

  /**
   * The error object as clients and event streams get it.
   */
  toBody(): ErrorBody {
    return { code: this.code, message: this.message, ...this.details }
  }

  handle(error: this, { response }: HttpContext): void {
    for (const [name, value] of Object.entries(error.headers)) response.header(name, value)
    response.status(error.status).send({ errors: [error.toBody()] })
  }
}
