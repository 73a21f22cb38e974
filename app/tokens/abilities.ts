import type { TokenKind } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'

/**
 * What a token may do now, from what its row holds. An API key may do no more than
 * `API_KEY_ABILITIES` lists at this moment, whatever it was made with, and `*` is that list: its
 * maker chose the words, and other services trust them. Everything that tells or checks abilities
 * comes through here.
 */
export function abilitiesOf(kind: TokenKind, stored: string): string[] {
  const held = parse(stored)
  if (kind !== 'api_key') return held
  const { apiKeyAbilities } = sessionsConfig
  if (held.includes('*')) return [...apiKeyAbilities]
  return held.filter((ability) => apiKeyAbilities.includes(ability))
}

/**
 * Every session token holds `["*"]`; whatever is no list of words grants nothing.
 */
function parse(stored: string): string[] {
  if (stored === '["*"]') return ['*']
  try {
    const abilities = JSON.parse(stored)
    return Array.isArray(abilities) ? abilities.filter((word) => typeof word === 'string') : []
  } catch {
    return []
  }
}
