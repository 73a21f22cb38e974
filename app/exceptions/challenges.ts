/**
 * Signature algorithms that a DPoP proof may use: asymmetric ones, never `none`, RFC 9449 §11.6.
 */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'PS256', 'RS256']

/**
 * The scheme that a token must be presented with.
 */
export type Scheme = 'Bearer' | 'DPoP'

/**
 * What `WWW-Authenticate` says: nothing when the request carried no token (RFC 6750 §3). `maxAge` is
 * how old a sign-in may be, in seconds (RFC 9470 §3).
 */
export type Challenge = {
  error?:
    | 'invalid_request'
    | 'invalid_token'
    | 'insufficient_scope'
    | 'insufficient_user_authentication'
    | 'invalid_dpop_proof'
  scope?: string
  maxAge?: number
}

/**
 * The value of `WWW-Authenticate`, RFC 6750 §3. That of a token which is bound to a key says how a
 * proof may be signed, RFC 9449 §7.1.
 */
export function writeChallenge(scheme: Scheme, { error, scope, maxAge }: Challenge): string {
  let value = `${scheme} realm="latchkey"`
  if (error) value += `, error="${error}"`
  if (scope) value += `, scope="${scope}"`
  if (maxAge !== undefined) value += `, max_age="${maxAge}"`
  if (scheme === 'DPoP') value += `, algs="${PROOF_ALGORITHMS.join(' ')}"`
  return value
}

/**
 * How a service client must say who it is, RFC 7617 §2.
 */
export const BASIC_CHALLENGE = 'Basic realm="latchkey", charset="UTF-8"'
