import type { IncomingMessage } from 'node:http'

/**
 * Id and secret as a request presents them.
 */
export type ClientCredentials = { id: string; secret: string }

/**
 * What a request presents: one pair, nothing, more than one (RFC 6749 §2.3: a client must not use
 * more than one method), or something that is no pair.
 */
export type Presented =
  | { type: 'pair'; credentials: ClientCredentials }
  | { type: 'none' }
  | { type: 'several' }
  | { type: 'malformed' }

/**
 * The credentials in the `Authorization` header, RFC 6749 §2.3.1: HTTP Basic around an id and a
 * secret that are form-encoded first. Reads the raw headers, because Node drops the second of two.
 */
export function readBasic({ rawHeaders }: IncomingMessage): Presented {
  const found: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index].toLowerCase() === 'authorization') found.push(rawHeaders[index + 1])
  }
  if (found.length === 0) return { type: 'none' }
  if (found.length > 1) return { type: 'several' }

  const [, encoded] = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(found[0].trim()) ?? []
  if (encoded === undefined) return { type: 'malformed' }
  const pair = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  const id = formDecode(pair.slice(0, colon))
  const secret = formDecode(pair.slice(colon + 1))
  if (colon < 1 || id === null || secret === null) return { type: 'malformed' }
  return { type: 'pair', credentials: { id, secret } }
}

/**
 * The credentials of a request to `/oauth/*`: by HTTP Basic or as `client_id` and `client_secret`
 * of its form. A `client_id` beside HTTP Basic is allowed as long as it says the same.
 */
export function readBasicOrForm(
  message: IncomingMessage,
  form: Readonly<Record<string, unknown>>
): Presented {
  const basic = readBasic(message)
  const { client_id: id, client_secret: secret } = form
  if (basic.type === 'none') {
    if (id === undefined && secret === undefined) return basic
    if (typeof id !== 'string' || typeof secret !== 'string') return { type: 'malformed' }
    return { type: 'pair', credentials: { id, secret } }
  }
  if (secret !== undefined) return { type: 'several' }
  if (basic.type === 'pair' && id !== undefined && id !== basic.credentials.id) {
    return { type: 'several' }
  }
  return basic
}

function formDecode(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch {
    return null
  }
}
