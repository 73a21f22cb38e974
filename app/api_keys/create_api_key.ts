import clock from '#app/clock'
import { type ApiKey, keysOfUser } from '#app/api_keys/api_key'
import { abilitiesOf } from '#app/tokens/abilities'
import { hashToken, mintToken } from '#app/tokens/token'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import { appendEvents } from '#app/event_log/append'
import { withLiveSession } from '#app/sessions/with_live_session'
import type { Session } from '#app/sessions/session'
import sessionsConfig from '#config/sessions'

/**
 * How many API keys a user may hold.
 */
export const KEYS_PER_USER = 1_000

export type NewApiKey = {
  name: string
  description?: string | null
  /** What it may do; `*`, as without, is all that `API_KEY_ABILITIES` lists. */
  abilities?: string[]
  /** Milliseconds; never when absent. */
  expiresIn?: number | null
}

/**
 * Makes an API key for the user who speaks through `acting`. Returns the value, which is not kept.
 *
 * Throws `E_SESSION_ENDED` when `acting` ended meanwhile, so that a device that was just signed
 * out leaves no key behind, and `E_VALIDATION_ERROR` for an ability that `API_KEY_ABILITIES` does not
 * list and when the user holds as many keys as they may.
 */
export async function createApiKey(
  acting: Session,
  wanted: NewApiKey
): Promise<{ value: string; apiKey: ApiKey }> {
  const wantedAbilities = wanted.abilities ?? ['*']
  const { apiKeyAbilities } = sessionsConfig
  const isGranted = (ability: string) => ability === '*' || apiKeyAbilities.includes(ability)
  if (!wantedAbilities.every(isGranted)) throw notGranted(apiKeyAbilities)

  return withLiveSession(acting, async (trx, user) => {
    const { total } = await keysOfUser(trx, user).count('* as total').firstOrFail()
    if (Number(total) >= KEYS_PER_USER) throw tooMany()

    const now = clock.now()
    const value = mintToken('api_key')
    const row = {
      tokenable_id: user.id,
      type: 'api_key',
      name: wanted.name,
      description: wanted.description ?? null,
      hash: hashToken(value),
      abilities: JSON.stringify([...new Set(wantedAbilities)]),
      created_at: now,
      updated_at: now,
      expires_at: wanted.expiresIn ? new Date(now.getTime() + wanted.expiresIn) : null,
    }
    const abilities = abilitiesOf('api_key', row.abilities)
    /** PostgreSQL answers with the row, SQLite with the number it gave. */
    const [inserted] = await trx.table('api_tokens').returning('id').insert(row)
    const apiKey: ApiKey = {
      id: Number(inserted.id ?? inserted),
      name: row.name,
      description: row.description,
      abilities,
      createdAt: now,
      lastUsedAt: null,
      expiresAt: row.expires_at,
    }
    await appendEvents(trx, [
      {
        type: 'api_key.created',
        userId: user.id,
        sessionId: acting.id,
        actor: `user:${user.id}`,
        data: { id: apiKey.id, name: apiKey.name, abilities, expiresAt: apiKey.expiresAt },
      },
    ])
    return { value, apiKey }
  })
}

function notGranted(granted: string[]) {
  return new E_VALIDATION_ERROR([
    {
      field: 'abilities',
      rule: 'ability',
      message: `The abilities of an API key must be among ${granted.join(', ')}; * is all of them.`,
    },
  ])
}

function tooMany() {
  return new E_VALIDATION_ERROR([
    {
      field: 'name',
      rule: 'limit',
      message: `An account may hold ${KEYS_PER_USER} API keys. Delete one first.`,
    },
  ])
}
