import { createHmac } from 'node:crypto'
import { derivedKey, formatToken } from '#app/tokens/token'

const key = derivedKey('latchkey successor of a refresh token')

/**
 * The tokens that follow a refresh token: a keyed hash of it, so the same on every node and at
 * every retry, without a copy anywhere. Whoever holds the spent token but not the key learns
 * nothing of them. `generation` counts how often it got others, because nobody had used those.
 */
export function rotatedTokensOf(
  refreshToken: string,
  generation = 0
): { access: string; refresh: string } {
  /** The first one is spelled as before there were others. */
  const suffix = generation === 0 ? '' : ` ${generation}`
  const derive = (label: string) =>
    createHmac('sha256', key).update(`${label} ${refreshToken}${suffix}`).digest()
  return {
    access: formatToken('access', derive('access')),
    refresh: formatToken('refresh', derive('refresh')),
  }
}
