import type { IncomingMessage } from 'node:http'
import Bowser from 'bowser'
import { BoundedCache } from '#app/bounded_cache'

/**
 * User agents repeat, and reading one takes longer than all else of a check.
 */
const families = new BoundedCache<string, string>(1_000)

/**
 * The family and platform of a user agent, without versions, so that an update is no other
 * device: `Chrome on Windows`, or the product that a program names itself.
 */
export function userAgentFamily(userAgent: string | null): string {
  return userAgent ? families.getOrSet(userAgent, readFamily) : 'none'
}

function readFamily(userAgent: string): string {
  const { browser, os } = Bowser.parse(userAgent)
  const product = userAgent.split(/[/\s(]/, 1)[0].toLowerCase()
  return `${browser.name || product} on ${os.name || 'an unknown system'}`
}

/**
 * The user agent of a request as it is stored: no more of it than fits there. Whatever is compared
 * with a stored one must be cut the same way.
 */
export function userAgentOf({ headers }: IncomingMessage): string | null {
  return headers['user-agent']?.slice(0, 512) ?? null
}
