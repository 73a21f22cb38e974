import { errorSchemas } from '#app/openapi/failures'
import { account } from '#app/openapi/paths/account'
import { admin } from '#app/openapi/paths/admin'
import { apiKeys } from '#app/openapi/paths/api_keys'
import { services } from '#app/openapi/paths/services'
import { signingIn } from '#app/openapi/paths/signing_in'
import { system } from '#app/openapi/paths/system'
import { trusted } from '#app/openapi/paths/trusted'
import { schemas } from '#app/openapi/schemas'
import type { Paths } from '#app/openapi/types'
import accountsConfig from '#config/accounts'
import { appUrl } from '#config/app'

const paths: Paths = {
  ...signingIn,
  ...account,
  '/api/v1/sessions': { ...account['/api/v1/sessions'], ...trusted['/api/v1/sessions'] },
  '/api/v1/sessions/{id}/confirm': trusted['/api/v1/sessions/{id}/confirm'],
  ...apiKeys,
  ...admin,
  ...services,
  ...system,
}

/** What `PASSWORD_SIGN_IN=off` takes away. */
const BY_PASSWORD = [
  '/api/v1/auth/signup',
  '/api/v1/auth/login',
  '/api/v1/auth/confirm',
  '/api/v1/auth/password/forgot',
  '/api/v1/auth/password/reset',
  '/api/v1/account/password',
]

function withoutPasswords(all: Paths): Paths {
  return Object.fromEntries(Object.entries(all).filter(([path]) => !BY_PASSWORD.includes(path)))
}

/**
 * The API as OpenAPI 3.1 describes it. Tests hold it against the routes that are served and
 * against every answer that they get.
 */
export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Latchkey',
    version: '1.0.0',
    summary: 'Is this bearer token still the one that may speak for this user, right now?',
    description:
      'Opaque bearer tokens in a database in place of stateless JWTs. A new sign-in signs the other devices out at once, and the device that was signed out is told why.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: appUrl }],
  tags: [
    { name: 'Signing in and out', description: 'Opens, renews and ends sessions.' },
    { name: 'Account and devices', description: 'What users see and do of their own.' },
    { name: 'API keys', description: 'Credentials for scripts.' },
    {
      name: 'Trusted backends',
      description: 'Your own login decides who the user is; the session is opened here.',
    },
    {
      name: 'Administering',
      description:
        'For users with the admin role, and for service clients with the ability `manage`, which touch no admin.',
    },
    {
      name: 'Telling devices and services',
      description: 'Devices hear why they were signed out; other backends ask, or are told.',
    },
    { name: 'Running it', description: 'For operators and monitoring.' },
  ],
  paths: accountsConfig.passwordSignIn ? paths : withoutPasswords(paths),
  components: {
    securitySchemes: {
      bearer: {
        type: 'http',
        scheme: 'bearer',
        description: 'An access token (`oat_…`) of a session, or an API key (`oak_…`).',
      },
      dpop: {
        type: 'http',
        scheme: 'DPoP',
        description: 'An access token that is bound to a key, beside a `DPoP` proof (RFC 9449).',
      },
      serviceClient: {
        type: 'http',
        scheme: 'basic',
        description: 'Id and secret of a service client.',
      },
      metrics: { type: 'http', scheme: 'bearer', description: '`METRICS_TOKEN`.' },
    },
    schemas: { ...schemas, ...errorSchemas },
  },
}
