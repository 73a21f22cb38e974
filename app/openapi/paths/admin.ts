import { bodyFailures, failures, sessionFailures } from '#app/openapi/failures'
import { bearer, body, data, inPath, inQuery, page, paging } from '#app/openapi/operation'
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

/** The admin role's routes. */
export const admin: Paths = {
  '/api/v1/admin/users': {
    get: {
      operationId: 'adminListUsers',
      summary: 'Find users by e-mail, name or external id',
      tags,
      security: bearer,
      parameters: [
        inQuery('search', 'A part of the e-mail, the name or the external id.', { type: 'string' }),
        ...paging,
      ],
      responses: {
        200: page('A page of users.', ref('AdminUser')),
        ...failures(...sessionFailures, 'E_VALIDATION_ERROR'),
      },
    },
  },
  '/api/v1/admin/users/{user}/sessions': {
    get: {
      operationId: 'adminListSessions',
      summary: "A user's live sessions",
      tags,
      security: bearer,
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
      security: bearer,
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
      security: bearer,
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
      security: bearer,
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
      security: bearer,
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
      security: bearer,
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
      security: bearer,
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
      security: bearer,
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
