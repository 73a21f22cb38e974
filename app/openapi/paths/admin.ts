import { bodyFailures, failures, sessionFailures } from '#app/openapi/failures'
import {
  administrator,
  body,
  data,
  empty,
  inPath,
  inQuery,
  page,
  paging,
} from '#app/openapi/operation'
import { object, ref } from '#app/openapi/schemas'
import type { Paths, Schema } from '#app/openapi/types'

const tags = ['Administering']
const user = inPath('user', {
  type: 'string',
  description: 'An id, an e-mail or `external:ID`.',
  examples: ['7', 'ada@example.com', 'external:c0ffee'],
})
const sessionId = inPath('id', { type: 'string', format: 'uuid' })
const reason = { type: ['string', 'null'], maxLength: 500 }
const duration = { type: 'string', examples: ['30d', '12h'] }

/** What chooses sessions: all that are given must match. */
const filters: Record<string, Schema> = {
  'session?': { type: 'string', format: 'uuid' },
  'device?': { type: 'string', maxLength: 512 },
  'platform?': { type: 'string', maxLength: 512 },
  'idleFor?': { ...duration, description: 'Not seen for so long.' },
  'before?': { type: 'string', description: 'Opened before this date or time (ISO 8601).' },
}
const order: Record<string, Schema> = {
  'reason?': reason,
  'includeApiKeys?': { type: 'boolean' },
  'dryRun?': { type: 'boolean', description: 'Says what would end, and changes nothing.' },
}

const ended = data('What ended, or would end.', ref('ForceLogout'))

/** What an administrator says of an account. */
const account: Record<string, Schema> = {
  'externalId?': { type: ['string', 'null'], maxLength: 255, pattern: '^[ -~]+$' },
  'email?': { type: ['string', 'null'], maxLength: 254 },
  'emailVerified?': { type: 'boolean' },
  'fullName?': { type: ['string', 'null'], maxLength: 255 },
  'password?': {
    type: 'string',
    minLength: 8,
    maxLength: 256,
    description: 'By admins alone; all sessions end.',
  },
  'role?': { enum: ['user', 'admin'], description: 'By admins alone.' },
  'sessionLimit?': { type: ['integer', 'null'], description: 'null: as configured; 0: no limit.' },
  'disabled?': { type: 'boolean', description: 'Whether nobody may sign in; all sessions end.' },
}
const keyId = inPath('key', { type: 'integer' })
const endedKeys = data('How many ended.', ref('EndedKeys'))

/** The routes of admins and of service clients with the ability `manage`, which touch no admin. */
export const admin: Paths = {
  '/api/v1/admin/users': {
    get: {
      operationId: 'adminListUsers',
      summary: 'Find users by e-mail, name or external id',
      tags,
      security: administrator,
      parameters: [
        inQuery('search', 'A part of the e-mail, the name or the external id.', { type: 'string' }),
        ...paging,
      ],
      responses: {
        200: page('A page of users.', ref('AdminUser')),
        ...failures(...sessionFailures, 'E_VALIDATION_ERROR'),
      },
    },
    post: {
      operationId: 'adminSaveUser',
      summary: 'Make an account, or change the one that has the externalId',
      tags,
      security: administrator,
      requestBody: body(account, { externalId: 'c0ffee', email: 'ada@example.com' }),
      responses: {
        200: data('It was there, and is changed.', ref('AdminUser')),
        201: data('It is made.', ref('AdminUser')),
        ...failures(...sessionFailures, 'E_USER_EXISTS', ...bodyFailures),
      },
    },
  },
  '/api/v1/admin/users/{user}': {
    get: {
      operationId: 'adminGetUser',
      summary: 'One user',
      tags,
      security: administrator,
      parameters: [user],
      responses: {
        200: data('The user.', ref('AdminUser')),
        ...failures(...sessionFailures, 'E_NOT_FOUND'),
      },
    },
    patch: {
      operationId: 'adminChangeUser',
      summary: 'Change an account; what is not said stays',
      tags,
      security: administrator,
      parameters: [user],
      requestBody: body(account, { sessionLimit: 3 }),
      responses: {
        200: data('The user.', ref('AdminUser')),
        ...failures(...sessionFailures, 'E_NOT_FOUND', 'E_USER_EXISTS', ...bodyFailures),
      },
    },
    delete: {
      operationId: 'adminDeleteUser',
      summary: 'Delete an account; its sessions and API keys end',
      tags,
      security: administrator,
      parameters: [user],
      requestBody: body({ 'reason?': reason }, { reason: 'asked for it' }),
      responses: {
        204: empty('The account is gone.'),
        ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures),
      },
    },
  },
  '/api/v1/admin/users/{user}/api-keys': {
    get: {
      operationId: 'adminListApiKeys',
      summary: "A user's API keys",
      tags,
      security: administrator,
      parameters: [user, ...paging],
      responses: {
        200: page('A page of keys.', ref('ApiKey')),
        ...failures(...sessionFailures, 'E_NOT_FOUND', 'E_VALIDATION_ERROR'),
      },
    },
    delete: {
      operationId: 'adminEndApiKeys',
      summary: "End a user's API keys",
      tags,
      security: administrator,
      parameters: [user],
      requestBody: body({ 'reason?': reason }, {}),
      responses: {
        200: endedKeys,
        ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures),
      },
    },
  },
  '/api/v1/admin/users/{user}/api-keys/{key}': {
    delete: {
      operationId: 'adminEndApiKey',
      summary: 'End one API key of a user',
      tags,
      security: administrator,
      parameters: [user, keyId],
      requestBody: body({ 'reason?': reason }, {}),
      responses: {
        200: endedKeys,
        ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures),
      },
    },
  },
  '/api/v1/admin/clients': {
    get: {
      operationId: 'adminListClients',
      summary: 'The service clients, oldest first, with those that are revoked',
      tags,
      security: administrator,
      parameters: paging,
      responses: {
        200: page('A page of service clients.', ref('ServiceClient')),
        ...failures(...sessionFailures, 'E_VALIDATION_ERROR'),
      },
    },
  },
  '/api/v1/admin/users/{user}/sessions': {
    get: {
      operationId: 'adminListSessions',
      summary: "A user's live sessions",
      tags,
      security: administrator,
      parameters: [user, ...paging],
      responses: {
        200: page('A page of sessions.', ref('AdminSession')),
        ...failures(...sessionFailures, 'E_NOT_FOUND', 'E_VALIDATION_ERROR'),
      },
    },
    delete: {
      operationId: 'adminForceUserOut',
      summary: "End a user's sessions",
      tags,
      security: administrator,
      parameters: [user],
      requestBody: body({ ...order, ...filters }, { reason: 'lost phone' }),
      responses: { 200: ended, ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures) },
    },
  },
  '/api/v1/admin/users/{user}/limit': {
    patch: {
      operationId: 'adminSetSessionLimit',
      summary: "Set a user's own session limit",
      tags,
      security: administrator,
      parameters: [user],
      requestBody: body(
        { limit: { type: ['integer', 'null'], description: 'null: as configured; 0: no limit.' } },
        { limit: 3 }
      ),
      responses: {
        200: data(
          'The user and the limit.',
          object({ user: ref('User'), sessionLimit: { type: ['integer', 'null'] } })
        ),
        ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures),
      },
    },
  },
  '/api/v1/admin/users/{user}/disable': {
    post: {
      operationId: 'adminDisableUser',
      summary: 'Disable an account; its sessions and API keys end',
      tags,
      security: administrator,
      parameters: [user],
      requestBody: body({ 'reason?': reason }, { reason: 'left the company' }),
      responses: {
        200: data('The user, and how much ended.', ref('DisabledUser')),
        ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures),
      },
    },
  },
  '/api/v1/admin/users/{user}/enable': {
    post: {
      operationId: 'adminEnableUser',
      summary: 'Enable an account again',
      tags,
      security: administrator,
      parameters: [user],
      requestBody: body({ 'reason?': reason }, {}),
      responses: {
        200: data('The user.', ref('DisabledUser')),
        ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures),
      },
    },
  },
  '/api/v1/admin/sessions/{id}': {
    delete: {
      operationId: 'adminEndSession',
      summary: 'End one session',
      tags,
      security: administrator,
      parameters: [sessionId],
      requestBody: body({ 'reason?': reason, 'dryRun?': { type: 'boolean' } }, {}),
      responses: { 200: ended, ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures) },
    },
  },
  '/api/v1/admin/force-logout': {
    post: {
      operationId: 'adminForceLogout',
      summary: 'End the sessions of several users, or of everyone',
      tags,
      security: administrator,
      requestBody: body(
        {
          'users?': {
            type: 'array',
            minItems: 1,
            maxItems: 100,
            items: { type: ['string', 'integer'] },
            description: 'Ids, e-mails or `external:ID`.',
          },
          'all?': { type: 'boolean' },
          ...order,
          ...filters,
        },
        { all: true, reason: 'security incident', dryRun: true }
      ),
      responses: { 200: ended, ...failures(...sessionFailures, ...bodyFailures) },
    },
  },
  '/api/v1/admin/events': {
    get: {
      operationId: 'adminListEvents',
      summary: 'The log, newest first',
      tags,
      security: administrator,
      parameters: [
        inQuery('user', 'A user: an id, an e-mail or `external:ID`.', { type: 'string' }),
        inQuery('session', "A session's id.", { type: 'string', format: 'uuid' }),
        inQuery('type', 'The type of event.', { type: 'string' }),
        inQuery('reason', 'The end reason.', { type: 'string' }),
        inQuery('actor', 'Who did it.', { type: 'string' }),
        inQuery('from', 'From this moment (ISO 8601).', { type: 'string' }),
        inQuery('until', 'Before this moment (ISO 8601).', { type: 'string' }),
        ...paging,
      ],
      responses: {
        200: page('A page of the log.', ref('AdminEvent')),
        ...failures(...sessionFailures, 'E_VALIDATION_ERROR'),
      },
    },
  },
}
