import type { IncomingMessage } from 'node:http'
import { E_INVALID_REQUEST } from '#exceptions/errors'

/**
 * 90 days, in seconds.
 */
const LONGEST = 90 * 24 * 60 * 60

/**
 * How old a sign-in may be, in seconds, as `?max_age=600` says; null where it says nothing. Throws
 * `E_INVALID_REQUEST` for whatever is not one whole number: nothing that was meant to ask for a
 * fresh sign-in goes without.
 */
export function readMaxAge({ url = '' }: IncomingMessage): number | null {
  const query = url.indexOf('?')
  if (query === -1) return null
  const asked = [...new URLSearchParams(url.slice(query))].filter(([name]) =>
    /^max_age\b/.test(name)
  )
  if (asked.length === 0) return null
  const [[name, value]] = asked
  const isOne = asked.length === 1 && name === 'max_age' && /^(0|[1-9]\d{0,6})$/.test(value)
  if (isOne && Number(value) <= LONGEST) return Number(value)
  throw new E_INVALID_REQUEST(`Say max_age once, as whole seconds up to ${LONGEST}.`)
}
