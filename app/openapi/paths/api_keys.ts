import { bodyFailures, failures, sessionFailures } from '#app/openapi/failures'
import { bearer, body, data, empty, inPath } from '#app/openapi/operation'
import { ref } from '#app/openapi/schemas'
import type { Paths } from '#app/openapi/types'

const tags = ['API keys']

/** Long-lived credentials for scripts. */
export const apiKeys: Paths = {
  '/api/v1/api-keys': {
    get: {
      operationId: 'listApiKeys',
      summary: "The user's API keys, newest first",
      tags,
      security: bearer,
      responses: {
        200: data('The keys, without their values.', { type: 'array', items: ref('ApiKey') }),
        ...failures(...sessionFailures),
      },
    },
    post: {
      operationId: 'createApiKey',
      summary: 'Make an API key',
      description:
        'It counts for no session limit and lives on when sessions end. It can not manage keys, sessions or passwords. An account may hold 1,000. It wants a fresh sign-in, of the last ten minutes.',
      tags,
      security: bearer,
      requestBody: body(
        {
          'name': { type: 'string', minLength: 1, maxLength: 100 },
          'description?': { type: ['string', 'null'], maxLength: 1000 },
          'abilities?': {
            type: 'array',
            minItems: 1,
            maxItems: 50,
            items: { type: 'string', pattern: '^(\\*|[a-z0-9][a-z0-9:._-]{0,63})$' },
            default: ['*'],
            description: 'Of those that `API_KEY_ABILITIES` lists; `*` is that list.',
          },
          'expiresIn?': {
            type: ['string', 'integer', 'null'],
            description: 'Seconds, or a duration such as `90d`; never when absent.',
          },
        },
        { name: 'Nightly export', abilities: ['account:read'], expiresIn: '90d' }
      ),
      responses: {
        201: data('The key. Its value is shown this once.', ref('NewApiKey')),
        ...failures(...sessionFailures, ...bodyFailures, 'E_REAUTHENTICATION_REQUIRED'),
      },
    },
  },
  '/api/v1/api-keys/{id}': {
    delete: {
      operationId: 'deleteApiKey',
      summary: 'End an API key',
      tags,
      security: bearer,
      parameters: [inPath('id', { type: 'integer' })],
      responses: {
        204: empty('The key has ended.'),
        ...failures(...sessionFailures, 'E_NOT_FOUND'),
      },
    },
  },
}
