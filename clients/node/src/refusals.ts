import type { Answer } from './connection.js'

/**
 * What a client is told instead of an answer: as Latchkey told it, or in its words.
 */
export type Refusal = { status: number; headers: Record<string, string>; body: string }

/**
 * What of Latchkey's answer reaches the client beside status and body.
 */
const PASSED_ON = ['content-type', 'www-authenticate', 'cache-control', 'retry-after']

/**
 * Latchkey's own refusal, unchanged: the device learns why it was signed out, when and by which.
 */
export function passedOn({ status, headers, body }: Answer): Refusal {
  const kept = PASSED_ON.flatMap((name) => {
    const value = headers[name]
    return value === undefined ? [] : [[name, String(value)] as const]
  })
  return { status, headers: Object.fromEntries(kept), body }
}

/**
 * Latchkey is away: the client keeps its tokens and tries again.
 */
export const UNAVAILABLE: Refusal = {
  status: 503,
  headers: { ...json(), 'retry-after': '1' },
  body: errorBody('E_UNAVAILABLE', 'The service is not available for a moment. Try again.'),
}

/**
 * The token lacks abilities, RFC 6750 §3.1.
 */
export function forbidden(scheme: 'Bearer' | 'DPoP', wanted: readonly string[]): Refusal {
  const scope = wanted.join(' ')
  return {
    status: 403,
    headers: {
      ...json(),
      'www-authenticate': `${scheme} realm="latchkey", error="insufficient_scope", scope="${scope}"`,
    },
    body: errorBody('E_FORBIDDEN', `This needs a token with the abilities: ${scope}.`),
  }
}

function json() {
  return { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
}

function errorBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] })
}
