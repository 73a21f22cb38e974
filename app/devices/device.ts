import Bowser from 'bowser'
import { BoundedCache } from '#app/bounded_cache'

/**
 * What the client says the device is. `id` is stable and chosen by the client.
 */
export type Device = { id: string | null; name: string | null; platform: string | null }

/**
 * The device of a sign-in from what the client said: a missing or empty value is none.
 */
export function deviceOf(
  said?: {
    id?: string | null
    name?: string | null
    platform?: string | null
  } | null
): Device {
  return {
    id: said?.id || null,
    name: said?.name || null,
    platform: said?.platform || null,
  }
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
