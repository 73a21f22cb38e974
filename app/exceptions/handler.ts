import { ExceptionHandler, type HttpContext } from '@adonisjs/core/http'
import { lacksMigrations } from '#exceptions/lacking_migrations'
import { pathOf } from '#app/http/path'
import { ApiError } from '#exceptions/api_error'
import * as errors from '#exceptions/errors'
import { loggableError } from '#exceptions/loggable_error'
import { asOAuthError, OAuthError } from '#exceptions/oauth_error'
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
   * Logs what is ours to mend (5xx), with the cause but without the request's secrets, and what
   * may be an attack, with where it came from.
   */
  override async report(error: unknown, ctx: HttpContext) {
    const known = asApiError(error)
    const { user, session } = ctx.auth.use('api')
    const speaker = { ...this.context(ctx), user: user?.id, session: session?.id }
    if (isCutOff(error)) return ctx.logger.debug(speaker, 'the client cut its request off')
    if (known.status < 500) {
      if (!isSuspicious(known)) return
      const where = { route: ctx.route?.pattern, ip: ctx.request.ip() }
      ctx.logger.info({ ...speaker, ...where, refused: known.code }, known.message)
      return
    }
    const context = { ...speaker, err: loggableError(known.cause ?? known) }
    if (known.status === 503) ctx.logger.warn(context, known.message)
    else ctx.logger.error(context, known.message)
  }
}

/**
 * What is refused to whom had no right to it. A token that has merely ended is not: every device
 * that was signed out asks with one.
 */
const SUSPICIOUS = new Set([
  'E_INVALID_CREDENTIALS',
  'E_ACCOUNT_DISABLED',
  'E_REFRESH_TOKEN_REUSED',
  'E_INVALID_DPOP_PROOF',
  'E_UNAUTHORIZED_CLIENT',
  'E_FORBIDDEN',
  'E_TOO_MANY_REQUESTS',
])

function isSuspicious(error: ApiError): boolean {
  const client = error instanceof OAuthError && error.oauthCode.endsWith('_client')
  return client || SUSPICIOUS.has(error.code)
}

/**
 * `/oauth/*` speaks OAuth, whatever went wrong.
 */
function errorFor(error: unknown, { request }: HttpContext): ApiError {
  const known = asApiError(error)
  return pathOf(request).startsWith('/oauth/') ? asOAuthError(known) : known
}

/**
 * The framework copies a body by recursion: one that is nested thousands of levels deep exhausts
 * the stack there. Nothing else here recurses as deep.
 */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack')
}

/**
 * The client went away before its body was there. Asked before whether it is an outage: Node.js says
 * of a client that hangs up what it says of a broken connection to a database.
 */
function isCutOff(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return code === 'E_REQUEST_ABORTED' || (code === 'ECONNRESET' && message === 'aborted')
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (isCutOff(error)) return new errors.E_INVALID_REQUEST()
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
  if (lacksMigrations()) return new errors.E_UNAVAILABLE({ cause: error })
  return new errors.E_INTERNAL(error)
}
