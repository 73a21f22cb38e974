import { errorMessages, sessionEndedMessages } from '#exceptions/messages'
import { END_REASONS } from '#exceptions/end_reasons'
import type { Schema } from '#app/openapi/types'

type Code = keyof typeof errorMessages | 'E_SESSION_ENDED'

const at = '2026-03-01T12:00:00.000Z'

/**
 * The table of errors: status, what an entry carries besides code and message, and an example.
 */
const TABLE: Record<Code, { status: number; details?: Record<string, Schema>; example?: object }> =
  {
    E_INVALID_CREDENTIALS: { status: 400 },
    E_INVALID_REQUEST: { status: 400 },
    E_INVALID_REFRESH_TOKEN: { status: 400 },
    E_REFRESH_TOKEN_REUSED: { status: 400 },
    E_INVALID_DPOP_PROOF: { status: 401 },
    E_UNAUTHORIZED_ACCESS: { status: 401 },
    E_TOKEN_EXPIRED: { status: 401 },
    E_REAUTHENTICATION_REQUIRED: { status: 401 },
    E_SESSION_ENDED: {
      status: 401,
      details: {
        reason: { enum: END_REASONS },
        endedAt: { type: 'string', format: 'date-time' },
        by: { $ref: '#/components/schemas/TakenOverBy' },
      },
      example: {
        message: sessionEndedMessages.superseded({ name: 'Tablet', platform: 'android' }),
        reason: 'superseded',
        endedAt: at,
        by: { name: 'Tablet', platform: 'android' },
      },
    },
    E_FORBIDDEN: { status: 403 },
    E_SIGNUP_CLOSED: { status: 403 },
    E_ACCOUNT_DISABLED: { status: 403 },
    E_EMAIL_NOT_VERIFIED: { status: 403 },
    E_NOT_FOUND: { status: 404 },
    E_SESSION_LIMIT_REACHED: {
      status: 409,
      details: {
        quota: { $ref: '#/components/schemas/Quota' },
        sessions: { type: 'array', items: { $ref: '#/components/schemas/Session' } },
      },
      example: { quota: { used: 1, max: 1 }, sessions: [] },
    },
    E_CURSOR_GONE: { status: 410 },
    E_REQUEST_ENTITY_TOO_LARGE: { status: 413 },
    E_UNSUPPORTED_MEDIA_TYPE: { status: 415 },
    E_VALIDATION_ERROR: {
      status: 422,
      details: { field: { type: 'string' }, rule: { type: 'string' } },
      example: { message: 'The email field must be defined', field: 'email', rule: 'required' },
    },
    E_TOO_MANY_REQUESTS: { status: 429 },
    E_INTERNAL: { status: 500 },
    E_UNAVAILABLE: { status: 503 },
  }

const RETRY_AFTER = {
  'Retry-After': {
    description: 'Seconds to wait before trying again.',
    schema: { type: 'integer', minimum: 0 },
  },
}
const CHALLENGE = {
  'WWW-Authenticate': {
    description: 'The challenge of RFC 6750 §3 (RFC 9449 §7.1 for bound tokens).',
    schema: { type: 'string' },
  },
}

const PHRASES: Record<number, string> = {
  400: 'The request is not acceptable.',
  401: 'There is no token, or it is not alive.',
  403: 'Not allowed.',
  404: 'There is nothing here that the caller may see.',
  409: 'The session limit is reached.',
  410: 'The log does not hold that place any more.',
  413: 'The body is too large.',
  415: 'The body is of another type than the route takes.',
  422: 'The body is not valid: one entry a fault.',
  429: 'Too many requests.',
  500: 'A fault of the service.',
  503: 'Not available for a moment.',
}

/**
 * The schema of each error's entry, by the code.
 */
export const errorSchemas: Record<string, Schema> = Object.fromEntries(
  Object.entries(TABLE).map(([code, { details = {} }]) => [
    code,
    {
      type: 'object',
      required: ['code', 'message', ...Object.keys(details).filter((name) => name !== 'by')],
      properties: { code: { const: code }, message: { type: 'string' }, ...details },
      additionalProperties: false,
    },
  ])
)

/**
 * A proof of possession that does not hold is a 400 where it opens or renews a session (RFC 9449
 * §5), and a 401 beside a token.
 */
export const badProof = { code: 'E_INVALID_DPOP_PROOF', status: 400 } as const

/**
 * Responses by status for the codes that a route can answer with. What every route can say (a
 * malformed request, a fault, an outage) is added.
 */
export function failures(...codes: (Code | { code: Code; status: number })[]) {
  const all = [...codes, ...EVERYWHERE].map((entry) =>
    typeof entry === 'string' ? { code: entry, status: TABLE[entry].status } : entry
  )
  const responses: Record<string, Schema> = {}
  for (const status of new Set(all.map((entry) => entry.status))) {
    const members = all.filter((entry) => entry.status === status).map((entry) => entry.code)
    responses[status] = failure(status, members)
  }
  return responses
}

const EVERYWHERE: Code[] = ['E_INVALID_REQUEST', 'E_INTERNAL', 'E_UNAVAILABLE']

function failure(status: number, codes: Code[]): Schema {
  return {
    description: PHRASES[status],
    ...(status === 401 && { headers: CHALLENGE }),
    ...([429, 503].includes(status) && { headers: RETRY_AFTER }),
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['errors'],
          properties: {
            errors: {
              type: 'array',
              minItems: 1,
              items: oneOrAny(codes),
            },
          },
          additionalProperties: false,
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
      },
    },
  }
}

function oneOrAny(codes: Code[]): Schema {
  const schemas = codes.map((code) => ({ $ref: `#/components/schemas/${code}` }))
  return schemas.length === 1 ? schemas[0] : { anyOf: schemas }
}

function example(code: Code) {
  const message = code === 'E_SESSION_ENDED' ? '' : errorMessages[code]
  return { errors: [{ code, message, ...TABLE[code].example }] }
}

/**
 * What a route behind a bearer token can answer besides its own.
 */
export const bearerFailures = [
  'E_UNAUTHORIZED_ACCESS',
  'E_TOKEN_EXPIRED',
  'E_SESSION_ENDED',
  'E_INVALID_DPOP_PROOF',
] as const
/** The same where an API key is refused. */
export const sessionFailures = [...bearerFailures, 'E_FORBIDDEN'] as const
/** What a route with a JSON body can answer besides. */
export const bodyFailures = [
  'E_REQUEST_ENTITY_TOO_LARGE',
  'E_UNSUPPORTED_MEDIA_TYPE',
  'E_VALIDATION_ERROR',
] as const
