import { errorSchemas } from '#app/openapi/failures'
import { account } from '#app/openapi/paths/account'
import { admin } from '#app/openapi/paths/admin'
import { apiKeys } from '#app/openapi/paths/api_keys'
import { services } from '#app/openapi/paths/services'
import { signingIn } from '#app/openapi/paths/signing_in'
import { system } from '#app/openapi/paths/system'
import { schemas } from '#app/openapi/schemas'
import { appUrl } from '#config/app'

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
    { name: 'Administering', description: 'For users with the admin role.' },
    {
      name: 'Telling devices and services',
      description: 'Devices hear why they were signed out; other backends ask, or are told.',
    },
    { name: 'Running it', description: 'For operators and monitoring.' },
  ],
  paths: { ...signingIn, ...account, ...apiKeys, ...admin, ...services, ...system },
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
