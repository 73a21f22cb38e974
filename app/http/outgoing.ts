import { lookup as resolve } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import outgoingConfig from '#config/outgoing'

/**
 * Bytes of an answer that are read at most.
 */
const LONGEST_ANSWER = 64 * 1024

export type Answer = { status: number; body: string }

/**
 * A POST of JSON to a URL that somebody named. The address is checked when the connection is made, so no
 * name can lead into a private network (see `isPublic`), and a redirect is an answer like any other.
 * Throws for whatever keeps a whole answer from coming in time.
 */
export async function postJson(
  url: string,
  body: string,
  { headers, timeoutMs }: { headers: Record<string, string>; timeoutMs: number }
): Promise<Answer> {
  const { protocol, hostname } = new URL(url)
  const { allowPrivate } = outgoingConfig
  if (protocol !== 'https:' && !allowPrivate) throw new Error('Only https:// is asked.')
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) && !allowPrivate && !isPublic(literal)) throw new PrivateAddress()

  const send = protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((done, reject) => {
    const request = send(url, {
      method: 'POST',
      agent: false,
      lookup: allowPrivate ? undefined : lookupPublic,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'Accept': 'application/json',
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        'User-Agent': 'Latchkey',
        ...headers,
      },
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const parts: Buffer[] = []
      let length = 0
      response.on('error', reject)
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > LONGEST_ANSWER) request.destroy(new Error('The answer is too long.'))
        else parts.push(part)
      })
      response.on('end', () =>
        done({ status: response.statusCode!, body: Buffer.concat(parts).toString() })
      )
    })
    request.end(body)
  })
}

class PrivateAddress extends Error {
  readonly code = 'E_PRIVATE_ADDRESS'

  constructor() {
    super('The address is in a private network. Set WEBHOOK_ALLOW_PRIVATE=on to reach it.')
  }
}

/**
 * Whether an address is one of the public internet: neither of a private network, this machine or its
 * neighbours, nor reserved, however it is dressed as IPv6 (mapped, translated, tunnelled).
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const plain = ipaddr.process(address)
  if (plain.range() !== 'rfc6052') {
    /** Of IPv6, only 2000::/3 is given out (RFC 4291 §2.4): not ::7f00:1, which is 127.0.0.1 in an old form. */
    const isGivenOut = plain.kind() === 'ipv4' || (plain.toByteArray()[0] & 0xe0) === 0x20
    return isGivenOut && plain.range() === 'unicast'
  }
  /** NAT64 with its well-known prefix (RFC 6052 §2.1): the address that it stands for. */
  const bytes = plain.toByteArray()
  const isWellKnown = bytes.slice(4, 12).every((byte) => byte === 0)
  return isWellKnown && ipaddr.fromByteArray(bytes.slice(12)).range() === 'unicast'
}

/**
 * Resolves a name to its public addresses. Fails when it has none.
 */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '')
    const open = found.filter(({ address }) => isPublic(address))
    if (open.length === 0) return callback(new PrivateAddress(), '')
    if (options.all) return callback(null, open)
    callback(null, open[0].address, open[0].family)
  })
}
