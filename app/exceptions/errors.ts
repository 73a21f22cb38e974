import { BASIC_CHALLENGE, type Scheme } from '#exceptions/challenges'
import { ApiError } from '#exceptions/api_error'
import { sessionEndedMessages, type TakenOverBy } from '#exceptions/messages'
import type { EndReason } from '#exceptions/end_reasons'

/*
 * The table of errors: one class a code, with its status and what it carries.
 */

/** Wrong e-mail or password: the same answer for both. Or a token of the old system, refused. */
export const E_INVALID_CREDENTIALS = class InvalidCredentials extends ApiError {
  constructor(message?: string) {
    super(400, 'E_INVALID_CREDENTIALS', { message })
  }
}

/** Malformed JSON, or a malformed or repeated `Authorization` header (RFC 6750 §3.1). */
export const E_INVALID_REQUEST = class InvalidRequest extends ApiError {
  constructor(message?: string, options: { challenge?: boolean } = {}) {
    super(400, 'E_INVALID_REQUEST', {
      message,
      challenge: options.challenge ? { error: 'invalid_request' } : undefined,
    })
  }
}

/** No token, an unknown one, or one of the wrong kind. */
export const E_UNAUTHORIZED_ACCESS = class UnauthorizedAccess extends ApiError {
  constructor(options: { hadToken: boolean; scheme?: Scheme }) {
    super(401, 'E_UNAUTHORIZED_ACCESS', {
      challenge: options.hadToken ? { error: 'invalid_token' } : {},
      scheme: options.scheme,
    })
  }
}

/** No service client speaks here: no id and secret, or wrong ones. */
export const E_UNAUTHORIZED_CLIENT = class UnauthorizedClient extends ApiError {
  constructor() {
    super(401, 'E_UNAUTHORIZED_ACCESS', {
      message: 'The id and secret of a service client are required.',
      headers: { 'WWW-Authenticate': BASIC_CHALLENGE },
    })
  }
}

/** A proof of possession that is missing, wrong or used before, RFC 9449 §5 and §7.1. */
export const E_INVALID_DPOP_PROOF = class InvalidDpopProof extends ApiError {
  constructor(status: 400 | 401, message?: string) {
    super(status, 'E_INVALID_DPOP_PROOF', {
      message,
      challenge: { error: 'invalid_dpop_proof' },
      scheme: 'DPoP',
    })
  }
}

/** What the holder of an ended token learns. `by` goes with `superseded` and `replaced`. */
export type SessionEnd = { reason: EndReason; endedAt: Date; by?: TakenOverBy | null }

/** A once valid token whose session has ended. */
export const E_SESSION_ENDED = class SessionEnded extends ApiError {
  constructor(readonly end: SessionEnd) {
    const { reason, endedAt } = end
    const isTakenOver = reason === 'superseded' || reason === 'replaced'
    const by = isTakenOver ? { name: null, platform: null, ...end.by } : undefined
    super(401, 'E_SESSION_ENDED', {
      message: sessionEndedMessages[reason](by),
      details: { reason, endedAt: endedAt.toISOString(), ...(by && { by }) },
      challenge: { error: 'invalid_token' },
    })
  }
}

/** An access token past its time while its session lives on. */
export const E_TOKEN_EXPIRED = class TokenExpired extends ApiError {
  constructor() {
    super(401, 'E_TOKEN_EXPIRED', { challenge: { error: 'invalid_token' } })
  }
}

/** The sign-in is too long ago for this, RFC 9470. `maxAge` is in seconds. */
export const E_REAUTHENTICATION_REQUIRED = class ReauthenticationRequired extends ApiError {
  constructor(maxAge: number) {
    super(401, 'E_REAUTHENTICATION_REQUIRED', {
      challenge: { error: 'insufficient_user_authentication', maxAge },
    })
  }
}

/** An unknown or expired refresh token. */
export const E_INVALID_REFRESH_TOKEN = class InvalidRefreshToken extends ApiError {
  constructor() {
    super(400, 'E_INVALID_REFRESH_TOKEN')
  }
}

/** A spent refresh token came back after its retry window: its session is ended. */
export const E_REFRESH_TOKEN_REUSED = class RefreshTokenReused extends ApiError {
  constructor() {
    super(400, 'E_REFRESH_TOKEN_REUSED')
  }
}

/** The token lacks a role or an ability. */
export const E_FORBIDDEN = class Forbidden extends ApiError {
  constructor(options: { scope?: string; message?: string; challenge?: boolean } = {}) {
    const challenge = { error: 'insufficient_scope', scope: options.scope } as const
    super(403, 'E_FORBIDDEN', {
      message: options.message,
      challenge: options.challenge === false ? undefined : challenge,
    })
  }
}

/** `SIGNUP=closed`. */
export const E_SIGNUP_CLOSED = class SignupClosed extends ApiError {
  constructor() {
    super(403, 'E_SIGNUP_CLOSED')
  }
}

/** The right password for a disabled account. */
export const E_ACCOUNT_DISABLED = class AccountDisabled extends ApiError {
  constructor() {
    super(403, 'E_ACCOUNT_DISABLED')
  }
}

/** The right password for an account whose e-mail must be verified first. */
export const E_EMAIL_NOT_VERIFIED = class EmailNotVerified extends ApiError {
  constructor() {
    super(403, 'E_EMAIL_NOT_VERIFIED')
  }
}

/** The limit is reached and the policy refuses newcomers: the client may let the person choose. */
export const E_SESSION_LIMIT_REACHED = class SessionLimitReached extends ApiError {
  constructor(details: { quota: { used: number; max: number | null }; sessions: unknown[] }) {
    super(409, 'E_SESSION_LIMIT_REACHED', { details })
  }
}

/** What a consumer of the log had read last is not there any more, or is something else. */
export const E_CURSOR_GONE = class CursorGone extends ApiError {
  constructor() {
    super(410, 'E_CURSOR_GONE')
  }
}

/** No such route, or nothing there that the caller may see. */
export const E_NOT_FOUND = class NotFound extends ApiError {
  constructor() {
    super(404, 'E_NOT_FOUND')
  }
}

export const E_REQUEST_ENTITY_TOO_LARGE = class RequestEntityTooLarge extends ApiError {
  constructor() {
    super(413, 'E_REQUEST_ENTITY_TOO_LARGE')
  }
}

export const E_UNSUPPORTED_MEDIA_TYPE = class UnsupportedMediaType extends ApiError {
  constructor(message?: string) {
    super(415, 'E_UNSUPPORTED_MEDIA_TYPE', { message })
  }
}

/** A body that fails a rule: one entry a field. */
export const E_VALIDATION_ERROR = class ValidationError extends ApiError {
  constructor(readonly failures: { field: string; rule: string; message: string }[]) {
    super(422, 'E_VALIDATION_ERROR')
  }

  override handle(error: this, { response }: Parameters<ApiError['handle']>[1]): void {
    const errors = error.failures.map((failure) => ({ code: error.code, ...failure }))
    response.status(422).send({ errors })
  }
}

/** Another account has the e-mail. */
export const E_EMAIL_TAKEN = class EmailTaken extends E_VALIDATION_ERROR {
  constructor() {
    super([{ field: 'email', rule: 'unique', message: 'The email has already been taken' }])
  }
}

/** A new password that would be guessed first. It says nothing of any account, so it is no guess. */
export const E_GUESSABLE_PASSWORD = class GuessablePassword extends E_VALIDATION_ERROR {
  constructor(rule: 'commonPassword' | 'contextWord', message: string) {
    super([{ field: 'password', rule, message }])
  }
}

/** `retryAfter` is in seconds. */
export const E_TOO_MANY_REQUESTS = class TooManyRequests extends ApiError {
  constructor(retryAfter: number) {
    super(429, 'E_TOO_MANY_REQUESTS', { headers: { 'Retry-After': String(retryAfter) } })
  }
}

/** The database can't be reached, or a bounded queue is full. `retryAfter` is in seconds. */
export const E_UNAVAILABLE = class Unavailable extends ApiError {
  constructor(options: { retryAfter?: number; cause?: unknown } = {}) {
    super(503, 'E_UNAVAILABLE', {
      cause: options.cause,
      headers: { 'Retry-After': String(options.retryAfter ?? 1) },
    })
  }
}

/** A fault of ours. */
export const E_INTERNAL = class Internal extends ApiError {
  constructor(cause: unknown) {
    super(500, 'E_INTERNAL', { cause })
  }
}
