/**
 * Signature algorithms that a DPoP proof may use: asymmetric ones, never `none`, RFC 9449 §11.6.
 */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'PS256', 'RS256']

export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope'

/**
 * The value of `WWW-Authenticate` for a sign-in that is too long ago, RFC 9470 §3. `maxAge` is in
 * seconds.
 */
export function reauthenticationChallenge(maxAge: number): string {
  return `Bearer realm="latchkey", error="insufficient_user_authentication", max_age="${maxAge}"`
}

/**
 * The scheme that a token must be presented with.
 */
export type Scheme = 'Bearer' | 'DPoP'

/**
 * The value of `WWW-Authenticate`, RFC 6750 §3: bare when the request carried no token, with the
 * error otherwise.
 */
export function bearerChallenge(
  error?: BearerError,
  scope?: string,
  scheme: Scheme = 'Bearer'
): string {
  let value = `${scheme} realm="latchkey"`
  if (error) value += `, error="${error}"`
  if (scope) value += `, scope="${scope}"`
  return value
}

/**
 * The value of `WWW-Authenticate` for a proof of possession that does not hold, RFC 9449 §7.1.
 */
export function proofChallenge(algorithms: readonly string[]): string {
  return `DPoP realm="latchkey", error="invalid_dpop_proof", algs="${algorithms.join(' ')}"`
}

/**
 * How a service client must say who it is, RFC 7617 §2.
 */
export const BASIC_CHALLENGE = 'Basic realm="latchkey", charset="UTF-8"'
