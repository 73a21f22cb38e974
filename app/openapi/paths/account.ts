import { bearerFailures, bodyFailures, failures, sessionFailures } from '#app/openapi/failures'
import {
  bearer,
  body,
  data,
  either,
  empty,
  inPath,
  inQuery,
  page,
  paging,
} from '#app/openapi/operation'
import { object, ref } from '#app/openapi/schemas'
import { LOCALES } from '#models/user'
import type { Paths } from '#app/openapi/types'

const tags = ['Account and devices']
const sessionId = inPath('id', { type: 'string' })
const currentPassword = {
  type: 'string',
  description: 'An account without a password wants a sign-in of the last ten minutes instead.',
}

const accountOfSession = object({ user: ref('User'), session: ref('Session') })

/** What users do with their own account and sessions. */
export const account: Paths = {
  '/api/v1/account': {
    get: {
      operationId: 'getAccount',
      summary: 'Who the token speaks for',
      tags,
      security: bearer,
      responses: {
        200: data(
          'The user, and the session; null for an API key.',
          object({ user: ref('User'), session: { anyOf: [ref('Session'), { type: 'null' }] } })
        ),
        ...failures(...bearerFailures, 'E_FORBIDDEN'),
      },
    },
    patch: {
      operationId: 'changeAccount',
      summary: 'Change the name or the language; what is not said stays',
      tags,
      security: bearer,
      requestBody: body(
        {
          'fullName?': { type: ['string', 'null'], maxLength: 255 },
          'locale?': { enum: [...LOCALES, null], description: 'Null: as `Accept-Language` says.' },
        },
        { fullName: 'Ada Lovelace', locale: 'de' }
      ),
      responses: {
        200: data('The user, and the session.', accountOfSession),
        ...failures(...sessionFailures, ...bodyFailures),
      },
    },
    delete: {
      operationId: 'deleteAccount',
      summary: 'Delete the account; every session and API key ends',
      tags,
      security: bearer,
      requestBody: body({ 'currentPassword?': currentPassword }, { currentPassword: '…' }),
      responses: {
        204: empty('The account is gone.'),
        ...failures(
          ...sessionFailures,
          'E_INVALID_CREDENTIALS',
          'E_REAUTHENTICATION_REQUIRED',
          'E_TOO_MANY_REQUESTS',
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/account/password': {
    put: {
      operationId: 'changePassword',
      summary: 'Change the password; the other sessions end',
      tags,
      security: bearer,
      requestBody: body(
        {
          'currentPassword?': currentPassword,
          'password': { type: 'string', minLength: 8, maxLength: 256 },
          'keepOthers?': { type: 'boolean', default: false },
        },
        { currentPassword: 'a difference engine', password: 'an analytical engine' }
      ),
      responses: {
        200: data(
          'Fresh tokens of this session; the old ones are dead.',
          ref('SessionTokensOfChange')
        ),
        ...failures(
          ...sessionFailures,
          'E_INVALID_CREDENTIALS',
          'E_REAUTHENTICATION_REQUIRED',
          'E_TOO_MANY_REQUESTS',
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/account/email': {
    put: {
      operationId: 'changeEmail',
      summary: 'Ask for another e-mail address; its link makes it the one of the account',
      description:
        'Wants a sign-in of the last ten minutes. A link goes to the new address and a notice to the old one, at most once a minute. The answer is the same when another account has the address; no link is sent then.',
      tags,
      security: bearer,
      requestBody: body(
        { email: { type: 'string', maxLength: 254 } },
        { email: 'ada@lovelace.example' }
      ),
      responses: {
        202: data('A link is on its way.', ref('Message')),
        ...failures(
          ...sessionFailures,
          'E_REAUTHENTICATION_REQUIRED',
          'E_TOO_MANY_REQUESTS',
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/account/events': {
    get: {
      operationId: 'listAccountEvents',
      summary: "The user's own log, newest first",
      tags,
      security: bearer,
      parameters: paging,
      responses: {
        200: page('A page of the log.', ref('Event')),
        ...failures(...sessionFailures, 'E_VALIDATION_ERROR'),
      },
    },
  },
  '/api/v1/sessions': {
    get: {
      operationId: 'listSessions',
      summary: "The user's live sessions, newest activity first; or those that have ended",
      tags,
      security: bearer,
      parameters: [
        inQuery('ended', 'Those that have ended, newest end first, a page at a time.', {
          type: 'boolean',
        }),
        ...paging,
      ],
      responses: {
        200: either(
          'The sessions; with `ended=true` a page of them.',
          data('The sessions.', { type: 'array', items: ref('Session') }),
          page('A page of ended sessions.', ref('PastSession'))
        ),
        ...failures(...sessionFailures, 'E_VALIDATION_ERROR'),
      },
    },
  },
  '/api/v1/sessions/{id}': {
    patch: {
      operationId: 'renameSession',
      summary: 'Name a device',
      tags,
      security: bearer,
      parameters: [sessionId],
      requestBody: body({ name: { type: 'string', maxLength: 100 } }, { name: 'Work phone' }),
      responses: {
        200: data('The session.', ref('Session')),
        ...failures(...sessionFailures, 'E_NOT_FOUND', ...bodyFailures),
      },
    },
    delete: {
      operationId: 'endSession',
      summary: 'End one of the own sessions, this one too',
      tags,
      security: bearer,
      parameters: [sessionId],
      responses: {
        204: empty('The session has ended.'),
        ...failures(...sessionFailures, 'E_NOT_FOUND'),
      },
    },
  },
}
