import type { IncomingMessage } from 'node:http'
import { E_INVALID_REQUEST } from '#exceptions/errors'

/**
 * A token and how it was presented: `DPoP` beside a proof of possession (RFC 9449 §7.1).
 */
export type Credentials = { scheme: 'Bearer' | 'DPoP'; token: string }

/**
 * The scheme and one token68, RFC 6750 §2.1. The scheme's case does not matter (RFC 9110 §11.1).
 */
const CREDENTIALS = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * The token of a request; null when there is none, or another scheme than Bearer and DPoP.
 *
 * Reads the raw headers: Node keeps the first of two `Authorization` headers and drops the rest,
 * and a proxy in front may have judged the other one. Throws `E_INVALID_REQUEST` when there is
 * more than one, or when what follows the scheme is no token.
 */
export function readCredentials(request: IncomingMessage): Credentials | null {
  const { rawHeaders } = request
  let found: string | null = null
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name.length !== 13 || name.toLowerCase() !== 'authorization') continue
    if (found !== null) {
      throw new E_INVALID_REQUEST('There is more than one Authorization header.', {
        challenge: true,
      })
    }
    found = rawHeaders[index + 1].trim()
  }
  if (found === null) return null

  const [, scheme, token] = CREDENTIALS.exec(found) ?? []
  if (token !== undefined) return { scheme: scheme.length === 4 ? 'DPoP' : 'Bearer', token }
  if (/^[a-z][a-z0-9-]* +\S/i.test(found) && !/^(bearer|dpop)\b/i.test(found)) return null
  throw new E_INVALID_REQUEST('The Authorization header is malformed. Send: Bearer TOKEN', {
    challenge: true,
  })
}
