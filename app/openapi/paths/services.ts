import { bearerFailures, failures, sessionFailures } from '#app/openapi/failures'
import { anyone, bearer, data, empty, inQuery, serviceClient } from '#app/openapi/operation'
import { IDENTITY_HEADERS } from '#app/forward_auth/identity_headers'
import { object, ref } from '#app/openapi/schemas'
import type { Operation, Paths, Schema } from '#app/openapi/types'

const tags = ['Telling devices and services']

/** A form about a token. Client credentials may stand in it instead of HTTP Basic. */
const tokenForm = (more: Schema = {}): Schema => ({
  required: true,
  content: {
    'application/x-www-form-urlencoded': {
      schema: {
        type: 'object',
        required: ['token'],
        properties: {
          token: { type: 'string' },
          token_type_hint: { type: 'string' },
          client_id: { type: 'string' },
          client_secret: { type: 'string' },
          ...more,
        },
      },
      example: { token: 'oat_…' },
    },
  },
})

/** An error in the words of OAuth, RFC 6749 §5.2. */
const oauthFailure = (description: string): Schema => ({
  description,
  content: {
    'application/json': {
      schema: object({ error: { type: 'string' }, error_description: { type: 'string' } }),
    },
  },
})

const oauthFailures: Record<string, Schema> = {
  400: oauthFailure('`invalid_request`, or `unauthorized_client` without the ability.'),
  401: oauthFailure('`invalid_client`.'),
  413: oauthFailure('The form is too large.'),
  415: oauthFailure('The body is no form.'),
  429: oauthFailure('Too many requests.'),
  500: oauthFailure('A fault of the service.'),
  503: oauthFailure('Not available for a moment.'),
}

const json = (description: string, schema: Schema, example?: unknown): Schema => ({
  description,
  content: { 'application/json': { schema, ...(example !== undefined && { example }) } },
})

const active = object({
  'active': { const: true },
  'iss': { type: 'string' },
  'sub': { type: 'string', description: "The user's id." },
  'external_id?': { type: 'string', description: 'How another system names the user.' },
  'username': { type: 'string', description: 'The e-mail.' },
  'email_verified': {
    type: 'boolean',
    description: 'Whether its owner proved to hold the e-mail; if not, it may be a look-alike.',
  },
  'iat': { type: 'integer' },
  'exp?': { type: 'integer', description: 'Never later than the session goes idle.' },
  'auth_time?': { type: 'integer', description: 'When the user last showed who they are.' },
  'sid?': { type: 'string', format: 'uuid', description: 'The session; an API key has none.' },
  'scope?': { type: 'string', description: 'Abilities; absent for a refresh token.' },
  'token_type?': { enum: ['Bearer', 'DPoP'], description: 'Absent for a refresh token.' },
  'cnf?': object({ jkt: { type: 'string' } }),
})

const methods = ['get', 'post', 'put', 'patch', 'delete', 'options'] as const

function forwardAuth(method: (typeof methods)[number]): Operation {
  return {
    operationId: `forwardAuth${method[0].toUpperCase()}${method.slice(1)}`,
    summary: 'Whether a proxy may let a request pass; a body is not looked at',
    tags,
    security: bearer,
    parameters: [
      inQuery('max_age', 'How old the sign-in may be, in seconds. An API key has none.', {
        type: 'integer',
        minimum: 0,
        maximum: 7_776_000,
      }),
    ],
    responses: {
      200: {
        ...empty('It may. Empty, with who speaks in headers.'),
        headers: Object.fromEntries(
          IDENTITY_HEADERS.map((name) => [name, { schema: { type: 'string' } }])
        ),
      },
      ...failures(...bearerFailures, 'E_REAUTHENTICATION_REQUIRED'),
    },
  }
}

/** What devices and other services are told, and may ask. */
export const services: Paths = {
  '/api/v1/session/events': {
    get: {
      operationId: 'followSession',
      summary: 'What happens to the session, as it happens',
      description:
        'A comment every 15 seconds. `session.ended` carries exactly the error entry of the 401; then the stream is closed. `token.expired` carries that of `E_TOKEN_EXPIRED` when the access token that opened the stream is past its time or was replaced while the session lives on; then it is closed too: wait as long as `retry` says and connect again with the token you then hold. `session.opened` tells of a sign-in elsewhere when both live on: `{ session: { id, device, createdAt } }`.',
      tags,
      security: bearer,
      responses: {
        200: {
          description: 'Server-sent events.',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...failures(...sessionFailures, 'E_TOO_MANY_REQUESTS'),
      },
    },
  },
  '/api/v1/revocations': {
    get: {
      operationId: 'listRevocations',
      summary: 'What has ended or changed, for services that cache',
      tags,
      security: serviceClient,
      parameters: [
        inQuery('after', 'The cursor of the last answer, or `now`. Absent: from the oldest kept.', {
          type: 'string',
        }),
        inQuery('limit', 'How many at once.', {
          type: 'integer',
          minimum: 1,
          maximum: 1000,
          default: 100,
        }),
        inQuery('wait', 'Seconds to wait for the first.', {
          type: 'number',
          minimum: 0,
          maximum: 30,
          default: 0,
        }),
      ],
      responses: {
        200: data(
          'Oldest first. Go on from the cursor.',
          object({
            revocations: { type: 'array', items: ref('Revocation') },
            cursor: { type: 'string' },
          })
        ),
        ...failures('E_UNAUTHORIZED_ACCESS', 'E_FORBIDDEN', 'E_CURSOR_GONE', 'E_VALIDATION_ERROR'),
      },
    },
  },
  '/oauth/introspect': {
    post: {
      operationId: 'introspect',
      summary: 'Whether a token is alive, and whose it is (RFC 7662)',
      tags,
      security: serviceClient,
      requestBody: tokenForm({
        used: { enum: ['true', 'false'], description: 'Whether this counts as use.' },
      }),
      responses: {
        200: json(
          'What is true of the token. Every dead token is `{ "active": false }`.',
          { oneOf: [object({ active: { const: false } }), active] },
          { active: false }
        ),
        ...oauthFailures,
      },
    },
  },
  '/oauth/revoke': {
    post: {
      operationId: 'revoke',
      summary: 'Revoke a token on behalf of its user (RFC 7009)',
      tags,
      security: serviceClient,
      requestBody: tokenForm(),
      responses: {
        200: empty('It is dead now, whatever it was.'),
        ...oauthFailures,
      },
    },
  },
  '/.well-known/oauth-authorization-server': {
    get: {
      operationId: 'getAuthorizationServerMetadata',
      summary: 'What is offered of OAuth (RFC 8414)',
      tags,
      security: anyone,
      responses: {
        200: json('The document, without a `data` around it.', { type: 'object' }),
        ...failures(),
      },
    },
  },
  '/forward-auth': Object.fromEntries(methods.map((method) => [method, forwardAuth(method)])),
}
