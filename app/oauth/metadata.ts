import { PROOF_ALGORITHMS } from '#exceptions/challenges'
import { appUrl } from '#config/app'
import env from '#start/env'

/**
 * Who issues the tokens, RFC 8414 §2.
 */
export const issuer = appUrl

const CLIENT_AUTHENTICATION = ['client_secret_basic', 'client_secret_post']

/**
 * What is offered of OAuth, RFC 8414 §2: introspection and revocation. The document must name
 * response types, and without grant types two would be assumed; there are none of either, because
 * tokens are issued by the API's own sign-in.
 */
export const authorizationServerMetadata = {
  issuer,
  response_types_supported: [],
  grant_types_supported: [],
  introspection_endpoint: `${issuer}/oauth/introspect`,
  introspection_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
  dpop_signing_alg_values_supported: [...PROOF_ALGORITHMS],
  ...(env.get('DOCS') === 'on' && { service_documentation: `${issuer}/docs` }),
}
