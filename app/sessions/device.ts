import type { Device } from '#sessions/session'

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
