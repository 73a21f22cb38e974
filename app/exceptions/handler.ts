import { ExceptionHandler, type HttpContext } from '@adonisjs/core/http'
import { ApiError } from '#exceptions/api_error'
import * as errors from '#exceptions/errors'
import { loggableError } from '#exceptions/loggable_error'
import { asOAuthError } from '#exceptions/oauth_error'
import { isOutage } from '#exceptions/outage'

/**
 * Turns whatever was thrown into an error of the table, so that every answer has one shape and
 * nothing of the inside (a stack, a query, a path) reaches a client.
 */
export default class HttpExceptionHandler extends ExceptionHandler {
  protected override debug = false

  override async handle(error: unknown, ctx: HttpContext) {
    const known = errorFor(error, ctx)
    return known.handle(known, ctx)
  }

  /**
   * Logs what is ours to mend (5xx), with the cause but without the request's secrets.
   */
  override async report(error: unknown, ctx: HttpContext) {
    const known = asApiError(error)
    if (known.status < 500) return
    const { user, session } = ctx.auth ?? {}
    const context = {
      ...this.context(ctx),
      user: user?.id,
      session: session?.id,
      err: loggableError(known.cause ?? known),
    }
    if (known.status === 503) ctx.logger.warn(context, known.message)
    else ctx.logger.error(context, known.message)
  }
}

/**
 * `/oauth/*` speaks OAuth, whatever went wrong.
 */
function errorFor(error: unknown, { request }: HttpContext): ApiError {
  const known = asApiError(error)
  return request.url().startsWith('/oauth/') ? asOAuthError(known) : known
}

/**
 * The framework copies a body by recursion: one that is nested thousands of levels deep exhausts
 * the stack there. Nothing else here recurses as deep.
 */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack')
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (isOutage(error)) return new errors.E_UNAVAILABLE({ cause: error })

  const { code, status, messages } = (error ?? {}) as {
    code?: string
    status?: number
    messages?: { field: string; rule: string; message: string }[]
  }
  if (code === 'E_VALIDATION_ERROR' && Array.isArray(messages)) {
    return new errors.E_VALIDATION_ERROR(
      messages.map(({ field, rule, message }) => ({ field, rule, message }))
    )
  }
  if (code === 'E_ROUTE_NOT_FOUND' || status === 404) return new errors.E_NOT_FOUND()
  if (status === 413) return new errors.E_REQUEST_ENTITY_TOO_LARGE()
  if (status === 415) return new errors.E_UNSUPPORTED_MEDIA_TYPE()
  if (status !== undefined && status >= 400 && status < 500) return new errors.E_INVALID_REQUEST()
  if (isTooDeep(error)) return new errors.E_INVALID_REQUEST()
  return new errors.E_INTERNAL(error)
}
