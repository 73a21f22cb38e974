import { bodyFailures, failures } from '#app/openapi/failures'
import { body, data, inPath, serviceClient } from '#app/openapi/operation'
import { object, ref } from '#app/openapi/schemas'
import type { Paths, Schema } from '#app/openapi/types'

const tags = ['Trusted backends']
const nullable = (type: string, more: Schema = {}) => ({ type: [type, 'null'], ...more })
const authenticatedAt = nullable('string', {
  format: 'date-time',
  description: 'When the person showed who they are, if that is not now; never in the future.',
})

/** What backends do whose own login decides who the user is: the ability `sign_in`. */
export const trusted: Paths = {
  '/api/v1/sessions': {
    post: {
      operationId: 'openTrustedSession',
      summary: 'Open a session of a user whom your own login knows',
      description:
        'Under the policy of every sign-in. The first given of `id`, `externalId` and `email` names the user; what else is said of a known user is not changed. Admins are refused.',
      tags,
      security: serviceClient,
      requestBody: body(
        {
          'user': object({
            'id?': nullable('integer'),
            'externalId?': nullable('string', { maxLength: 255, pattern: '^[ -~]+$' }),
            'email?': nullable('string', { maxLength: 254 }),
            'emailVerified?': nullable('boolean'),
            'fullName?': nullable('string', { maxLength: 255 }),
          }),
          'create?': {
            type: 'boolean',
            default: false,
            description: 'Makes the account where there is none.',
          },
          'device?': ref('DeviceOfSignIn'),
          'ip?': nullable('string', { description: "The person's, never the backend's." }),
          'userAgent?': nullable('string', { description: "The person's. Cut to 512 characters." }),
          'dpopJkt?': nullable('string', {
            pattern: '^[A-Za-z0-9_-]{43}$',
            description: 'Thumbprint of the key that the tokens are bound to (RFC 9449 §6.1).',
          }),
          'authenticatedAt?': authenticatedAt,
          'limit?': {
            type: 'integer',
            minimum: 0,
            maximum: 100_000,
            description: "Becomes the user's own session limit in the same commit; 0: no limit.",
          },
          'logoutOthers?': { type: 'boolean' },
          'endSessions?': { type: 'array', items: { type: 'string' }, maxItems: 1000 },
        },
        {
          user: { externalId: 'c0ffee', email: 'ada@example.com' },
          create: true,
          device: { id: '3f1d…', name: 'Pixel 9', platform: 'android' },
          ip: '203.0.113.7',
          limit: 3,
        }
      ),
      responses: {
        200: data('As a sign-in.', ref('OpenedSession')),
        ...failures(
          'E_UNAUTHORIZED_ACCESS',
          'E_FORBIDDEN',
          'E_ACCOUNT_DISABLED',
          'E_EMAIL_NOT_VERIFIED',
          'E_USER_NOT_FOUND',
          'E_USER_EXISTS',
          'E_SESSION_LIMIT_REACHED',
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/sessions/{id}/confirm': {
    post: {
      operationId: 'confirmTrustedSession',
      summary: 'Say that the user of a session has shown once more who they are',
      tags,
      security: serviceClient,
      parameters: [inPath('id', { type: 'string', format: 'uuid' })],
      requestBody: body({ 'authenticatedAt?': authenticatedAt }, {}),
      responses: {
        200: data(
          'Since when the session is fresh. It never becomes less so.',
          object({ authenticatedAt: { type: 'string', format: 'date-time' } })
        ),
        ...failures('E_UNAUTHORIZED_ACCESS', 'E_FORBIDDEN', 'E_NOT_FOUND', ...bodyFailures),
      },
    },
  },
}
