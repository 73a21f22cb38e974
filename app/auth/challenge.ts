export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope'

/**
 * The value of `WWW-Authenticate`, RFC 6750 §3: bare when the request carried no token, with the
 * error otherwise.
 */
export function bearerChallenge(error?: BearerError, scope?: string): string {
  let value = 'Bearer realm="latchkey"'
  if (error) value += `, error="${error}"`
  if (scope) value += `, scope="${scope}"`
  return value
}
