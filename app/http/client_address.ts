import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import logger from '@adonisjs/core/services/logger'
import trustedProxies from '#config/trusted_proxies'

/**
 * Longer than any address with a zone and a port. A longer value is none, and is not looked into.
 */
const LONGEST = 100

let warned = false

/**
 * The address a request comes from, in one spelling, for rate limits, the session list and logs.
 * `X-Forwarded-For` is read from its end, as far as peers are trusted. Where it holds something
 * that is no address (`unknown`, junk), the address of the peer stands: nothing a client writes
 * there makes it a network of its own.
 */
export function clientAddress(message: IncomingMessage): string {
  const peer = readAddress(message.socket.remoteAddress ?? '') ?? ''
  const forwarded = message.headers['x-forwarded-for']
  if (forwarded === undefined) return peer
  if (!trustedProxies.trusts(peer)) {
    warnOfUntrusted(peer)
    return peer
  }
  let address = peer
  for (const entry of String(forwarded).split(',').reverse()) {
    if (!trustedProxies.trusts(address)) break
    const next = readAddress(entry)
    if (next === null) return peer
    address = next
  }
  return address
}

/**
 * Whether the peer of the connection may say what a request was before it came through it.
 */
export function isFromTrustedProxy(message: IncomingMessage): boolean {
  return trustedProxies.trusts(readAddress(message.socket.remoteAddress ?? '') ?? '')
}

/**
 * An address in one spelling: without brackets, port and zone, IPv4 in IPv6 clothes as IPv4, IPv6
 * compressed (RFC 5952). Null for what is none.
 */
export function readAddress(text: string): string | null {
  if (text.length > LONGEST) return null
  const value = text.trim().replace(/^"(.*)"$/, '$1')
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(value) ?? []
  const [, withPort] = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(value) ?? []
  const address = (bracketed ?? withPort ?? value).split('%', 1)[0]
  const family = isIP(address)
  if (family === 4) return bracketed === undefined ? address : null
  if (family === 0) return null
  const compressed = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed) ?? []
  if (high === undefined) return compressed
  const numbers = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return numbers.flatMap((number) => [number >> 8, number & 255]).join('.')
}

/**
 * Once: behind a proxy that is not trusted everybody shares one network and its rate limits, and
 * nothing else shows it.
 */
function warnOfUntrusted(peer: string): void {
  if (warned) return
  warned = true
  logger.warn(
    { peer },
    'A peer sent X-Forwarded-For and is not trusted, so everybody behind it counts as one network. ' +
      'If it is your proxy, name it in TRUST_PROXY.'
  )
}

/**
 * For tests: the next one is the first again.
 */
export function forgetWarning(): void {
  warned = false
}
