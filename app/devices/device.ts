import type { IncomingMessage } from 'node:http'
import Bowser from 'bowser'
import { BoundedCache } from '#app/bounded_cache'

/**
 * What the client says the device is. `id` is stable and chosen by the client.
 */
export type Device = { id: string | null; name: string | null; platform: string | null }

/**
 * The same as a sign-in says it.
 */
export type SaidDevice = { [Label in keyof Device]?: string | null }

/**
 * Characters of a name that are kept of a sign-in, and that a name given later may have.
 */
export const NAME_LENGTH = 100

/**
 * The device of a sign-in from what the client said: a missing or empty value is none. Labels never
 * refuse a sign-in, so a name is cut and a platform normalized.
 */
export function deviceOf(said?: SaidDevice | null): Device {
  return {
    id: said?.id || null,
    name: nameOf(said?.name ?? ''),
    platform: platformOf(said?.platform ?? ''),
  }
}

/**
 * Without NUL, which PostgreSQL can't hold, and without half a surrogate pair, not even from the cut.
 */
function nameOf(said: string): string | null {
  const readable = said
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '')
    .trim()
  return (
    readable
      .slice(0, NAME_LENGTH)
      .replace(/\p{Surrogate}$/u, '')
      .trim() || null
  )
}

/**
 * What one platform is called in different places.
 */
const SAME_PLATFORM: Record<string, string> = {
  mac_os_x: 'macos',
  mac_os: 'macos',
  os_x: 'macos',
  darwin: 'macos',
  windows_nt: 'windows',
}

/**
 * A platform as it is stored and compared: at most 32 of `a-z0-9_-`, whatever else stands between
 * them is one `_`. Null when nothing is left.
 */
export function platformOf(said: string): string | null {
  const word = said
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '_')
    .replace(/^[_-]+/, '')
    .slice(0, 32)
    .replace(/[_-]+$/, '')
  return (Object.hasOwn(SAME_PLATFORM, word) ? SAME_PLATFORM[word] : word) || null
}

/**
 * The device as people see it, in lists, answers, mails and the log: where the client gave no
 * name, one is read from its user agent. What is stored stays what the client said, so that a
 * check of a token never does this work.
 */
export function shownDevice(session: { device: Device; userAgent?: string | null }): Device {
  const { device, userAgent } = session
  if (device.name !== null || !userAgent) return device
  return { ...device, name: names.getOrSet(userAgent, readName) }
}

/**
 * Names by user agent: few user agents come from many devices, and ending very many sessions
 * names each.
 */
const names = new BoundedCache<string, string | null>(1_000)

/**
 * "Chrome on Windows", "Safari on iPhone"; the product for what is no browser ("curl").
 */
function readName(userAgent: string): string | null {
  const { browser, os, platform } = Bowser.parse(userAgent)
  const system = os.name === 'iOS' ? (platform.model ?? 'iOS') : os.name
  if (browser.name && system) return `${browser.name} on ${system}`
  return /^([A-Za-z][\w.-]{0,39})\//.exec(userAgent)?.[1] ?? null
}

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
  return cutUserAgent(headers['user-agent'] ?? '')
}

/**
 * A user agent as it is stored. Without NUL, which PostgreSQL can't hold, and without half a surrogate
 * pair; an empty one is none.
 */
export function cutUserAgent(userAgent: string): string | null {
  const readable = userAgent.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '')
  return readable.slice(0, 512).replace(/\p{Surrogate}$/u, '') || null
}
