import { badProof, bodyFailures, failures, sessionFailures } from '#app/openapi/failures'
import { anyone, bearer, body, data, empty } from '#app/openapi/operation'
import { object, ref } from '#app/openapi/schemas'
import type { Paths, Schema } from '#app/openapi/types'

const tags = ['Signing in and out']

const email: Schema = { type: 'string', maxLength: 254 }
const newPassword: Schema = { type: 'string', minLength: 8, maxLength: 256 }
const device = { id: '7c9e6679-7425-40de-944b-e07fc1f90ae7', name: 'Phone', platform: 'ios' }

const proof: Schema = {
  name: 'DPoP',
  in: 'header',
  description: 'A proof of possession (RFC 9449): the session is bound to its key.',
  schema: { type: 'string' },
}

/** Sign-up, sign-in, renewal and sign-out. */
export const signingIn: Paths = {
  '/api/v1/auth/signup': {
    post: {
      operationId: 'signUp',
      summary: 'Make an account and sign it in',
      tags,
      security: anyone,
      parameters: [proof],
      requestBody: body(
        {
          'email': email,
          'password': newPassword,
          'fullName?': { type: ['string', 'null'], maxLength: 255 },
          'device?': ref('DeviceOfSignIn'),
        },
        { email: 'ada@example.com', password: 'a difference engine', device }
      ),
      responses: {
        201: data('The account and its first session.', ref('OpenedSession')),
        202: data(
          'With `EMAIL_VERIFICATION=required`, also for a taken e-mail: a mail is on its way. Sign in once its link was opened.',
          ref('Message')
        ),
        ...failures('E_SIGNUP_CLOSED', 'E_TOO_MANY_REQUESTS', badProof, ...bodyFailures),
      },
    },
  },
  '/api/v1/auth/login': {
    post: {
      operationId: 'signIn',
      summary: 'Sign in on a device',
      description:
        'Opens a session. Where the limit is reached it ends the least recently seen ones, or answers 409 with the sessions to choose from: repeat with `endSessions` or `logoutOthers`.',
      tags,
      security: anyone,
      parameters: [proof],
      requestBody: body(
        {
          'email': email,
          'password': { type: 'string', maxLength: 1024 },
          'device?': ref('DeviceOfSignIn'),
          'logoutOthers?': { type: 'boolean' },
          'endSessions?': { type: 'array', items: { type: 'string' }, maxItems: 1000 },
        },
        { email: 'ada@example.com', password: 'a difference engine', device }
      ),
      responses: {
        200: data('The session, and those that it ended.', ref('OpenedSession')),
        ...failures(
          'E_INVALID_CREDENTIALS',
          'E_ACCOUNT_DISABLED',
          'E_EMAIL_NOT_VERIFIED',
          'E_SESSION_LIMIT_REACHED',
          'E_ACCOUNT_CONTESTED',
          'E_TOO_MANY_REQUESTS',
          badProof,
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/auth/exchange': {
    post: {
      operationId: 'exchangeLegacyToken',
      summary: 'Exchange a JWT or an opaque token of the old system for a session, once',
      description:
        'Either `jwt` or `token` (of the stock AdonisJS access tokens guard or of Laravel Sanctum), as `LEGACY_JWT_*` and `LEGACY_TOKENS_*` say. While the old database or key server does not answer: 503, and the token is not spent.',
      tags,
      security: anyone,
      parameters: [proof],
      requestBody: body(
        {
          'jwt?': { type: 'string', maxLength: 8192 },
          'token?': { type: 'string', maxLength: 1024 },
          'device?': ref('DeviceOfSignIn'),
        },
        { jwt: 'eyJhbGciOiJIUzI1NiJ9.e30.signature', device }
      ),
      responses: {
        200: data('The session, and those that it ended.', ref('OpenedSession')),
        ...failures(
          'E_INVALID_CREDENTIALS',
          'E_ACCOUNT_DISABLED',
          'E_NOT_FOUND',
          'E_SESSION_LIMIT_REACHED',
          'E_ACCOUNT_CONTESTED',
          'E_TOO_MANY_REQUESTS',
          badProof,
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/auth/refresh': {
    post: {
      operationId: 'refresh',
      summary: 'Renew the access token with a refresh token, which works once',
      description:
        'Within the retry window the same refresh token gets the same answer again, for clients that lost it. After that its use ends the session.',
      tags,
      security: anyone,
      parameters: [proof],
      requestBody: body(
        { refreshToken: { type: 'string' } },
        { refreshToken: 'ort_AWk5GPw9vw4Lzma81yOvpKQqTm1n4wNGhLNwfC8pFQw' }
      ),
      responses: {
        200: data('New tokens of the session.', ref('SessionTokens')),
        ...failures(
          'E_INVALID_REFRESH_TOKEN',
          'E_REFRESH_TOKEN_REUSED',
          'E_SESSION_ENDED',
          'E_TOO_MANY_REQUESTS',
          badProof,
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/auth/logout': {
    post: {
      operationId: 'signOut',
      summary: 'End this session',
      description:
        'By its access token, also past its time as long as no newer one has taken its place, or by a refresh token, current or spent. Where `refreshToken` is given it decides alone. A session that is bound to a key wants its proof.',
      tags,
      security: [...bearer, ...anyone],
      parameters: [proof],
      requestBody: body(
        { 'refreshToken?': { type: ['string', 'null'] } },
        { refreshToken: 'ort_AWk5GPw9vw4Lzma81yOvpKQqTm1n4wNGhLNwfC8pFQw' }
      ),
      responses: {
        204: empty('The session has ended.'),
        ...failures(
          'E_INVALID_REFRESH_TOKEN',
          'E_TOO_MANY_REQUESTS',
          badProof,
          ...sessionFailures,
          ...bodyFailures
        ),
      },
    },
  },
  '/api/v1/auth/confirm': {
    post: {
      operationId: 'confirmSignIn',
      summary: 'Give the password once more, for what wants a fresh sign-in',
      tags,
      security: bearer,
      requestBody: body(
        { password: { type: 'string', maxLength: 1024 } },
        { password: 'a difference engine' }
      ),
      responses: {
        200: data(
          'The session is fresh from now on; a refresh does not renew that.',
          object({ authenticatedAt: { type: 'string', format: 'date-time' } })
        ),
        ...failures(
          'E_INVALID_CREDENTIALS',
          ...sessionFailures,
          ...bodyFailures,
          'E_TOO_MANY_REQUESTS'
        ),
      },
    },
  },
  '/api/v1/auth/logout-others': {
    post: {
      operationId: 'signOutOthers',
      summary: 'End the other sessions of this user',
      tags,
      security: bearer,
      responses: {
        200: data('How many ended.', ref('Ended'), { ended: 2 }),
        ...failures(...sessionFailures),
      },
    },
  },
  '/api/v1/auth/logout-all': {
    post: {
      operationId: 'signOutEverywhere',
      summary: 'End every session of this user, this one too',
      tags,
      security: bearer,
      responses: {
        200: data('How many ended.', ref('Ended'), { ended: 3 }),
        ...failures(...sessionFailures),
      },
    },
  },
  '/api/v1/auth/password/forgot': {
    post: {
      operationId: 'forgotPassword',
      summary: 'Ask for a mail with a link to set a new password',
      description: 'The answer is the same whether there is such an account or not.',
      tags,
      security: anyone,
      requestBody: body({ email }, { email: 'ada@example.com' }),
      responses: {
        202: data('If there is such an account, a mail is on its way.', ref('Message')),
        ...failures('E_TOO_MANY_REQUESTS', ...bodyFailures),
      },
    },
  },
  '/api/v1/auth/password/reset': {
    post: {
      operationId: 'resetPassword',
      summary: 'Set a new password with the token of the mail; every session ends',
      description: 'It also verifies the e-mail that the link was sent to.',
      tags,
      security: anyone,
      requestBody: body(
        { token: { type: 'string' }, password: newPassword },
        { token: 'opr_…', password: 'an analytical engine' }
      ),
      responses: {
        200: data(
          'The password is set. API keys live on.',
          object({ message: { type: 'string' } })
        ),
        204: empty('The password is set.'),
        ...failures('E_TOO_MANY_REQUESTS', ...bodyFailures),
      },
    },
  },
  '/api/v1/auth/email/verify': {
    post: {
      operationId: 'verifyEmail',
      summary: 'Ask for a mail with a link to confirm the e-mail of an account',
      description:
        'The answer is the same whether there is such an account, verified or not, or none.',
      tags,
      security: anyone,
      requestBody: body({ email }, { email: 'ada@example.com' }),
      responses: {
        202: data('If there is an account to confirm, a mail is on its way.', ref('Message')),
        ...failures('E_TOO_MANY_REQUESTS', ...bodyFailures),
      },
    },
  },
  '/api/v1/auth/email/confirm': {
    post: {
      operationId: 'confirmEmail',
      summary: 'Confirm an e-mail with the token of the mail, which works once',
      description: 'Of a new account, or the new address after `PUT /account/email`.',
      tags,
      security: anyone,
      requestBody: body({ token: { type: 'string', maxLength: 200 } }, { token: 'oev_…' }),
      responses: {
        204: empty('The e-mail is verified and the one of the account.'),
        ...failures('E_TOO_MANY_REQUESTS', ...bodyFailures),
      },
    },
  },
}
