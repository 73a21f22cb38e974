import type { IncomingMessage } from 'node:http'
import { E_INVALID_REQUEST } from '#exceptions/errors'

/**
 * `Bearer` and one token68, RFC 6750 §2.1. The scheme's case does not matter (RFC 9110 §11.1).
 */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * The bearer token of a request; null when there is none, or another scheme than Bearer.
 *
 * Reads the raw headers: Node keeps the first of two `Authorization` headers and drops the rest,
 * and a proxy in front may have judged the other one. Throws `E_INVALID_REQUEST` when there is
 * more than one, or when what follows `Bearer` is no token.
 */
export function readBearer(request: IncomingMessage): string | null {
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

  const token = BEARER.exec(found)?.[1]
  if (token !== undefined) return token
  if (/^[a-z][a-z0-9-]* +\S/i.test(found) && !/^bearer\b/i.test(found)) return null
  throw new E_INVALID_REQUEST('The Authorization header is malformed. Send: Bearer TOKEN', {
    challenge: true,
  })
}
