import type { HttpContext } from '@adonisjs/core/http'
import { BASIC_CHALLENGE } from '#exceptions/challenges'
import { ApiError } from '#exceptions/api_error'

/**
 * The codes of RFC 6749 §5.2 and RFC 7009 §2.2.1 that `/oauth/*` answers with.
 */
type OAuthCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'temporarily_unavailable'
  | 'server_error'

/**
 * An error of `/oauth/*`, in the words of OAuth: `{ "error": …, "error_description": … }`.
 */
export class OAuthError extends ApiError {
  readonly oauthCode: OAuthCode

  constructor(
    status: number,
    oauthCode: OAuthCode,
    options: { message?: string; headers?: Record<string, string>; cause?: unknown } = {}
  ) {
    super(status, 'E_INVALID_REQUEST', options)
    this.oauthCode = oauthCode
  }

  override handle(error: this, { response }: HttpContext): void {
    for (const [name, value] of Object.entries(error.headers)) response.header(name, value)
    response.header('Cache-Control', 'no-store')
    response.status(error.status).send({ error: error.oauthCode, error_description: error.message })
  }
}

/** The request is malformed: a parameter is missing or repeated, or a client said twice who it is. */
export const invalidRequest = (message: string) =>
  new OAuthError(400, 'invalid_request', { message })

/** Unknown client, wrong secret, revoked, or no credentials at all: the same answer. */
export const invalidClient = () =>
  new OAuthError(401, 'invalid_client', {
    message: 'The id and secret of a service client are required.',
    headers: { 'WWW-Authenticate': BASIC_CHALLENGE },
  })

/** The client lacks the ability. */
export const unauthorizedClient = (ability: string) =>
  new OAuthError(400, 'unauthorized_client', {
    message: `This service client lacks the ability ${ability}.`,
  })

/** Another method than POST: a token must not stand in a URL. */
export const methodNotAllowed = () =>
  new OAuthError(405, 'invalid_request', {
    message: 'Send a POST with a form as its body.',
    headers: { Allow: 'POST' },
  })

/**
 * What the rest of the application threw, in the words of OAuth and with the same status.
 */
export function asOAuthError(error: ApiError): OAuthError {
  if (error instanceof OAuthError) return error
  const { status, message, headers, cause } = error
  return new OAuthError(status, codeOf(status), { message, headers, cause })
}

function codeOf(status: number): OAuthCode {
  if (status === 503 || status === 429) return 'temporarily_unavailable'
  return status >= 500 ? 'server_error' : 'invalid_request'
}
