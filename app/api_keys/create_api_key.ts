import clock from '#app/clock'
import { type ApiKey, keysOfUser } from '#app/api_keys/api_key'
import { hashToken, mintToken } from '#app/tokens/token'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import { appendEvents } from '#app/event_log/append'
import { withLiveSession } from '#app/sessions/log_out'
import type { Session } from '#app/sessions/session'

/**
 * How many API keys a user may hold.
 */
export const KEYS_PER_USER = 1_000

export type NewApiKey = {
  name: string
  description?: string | null
  /** What it may do; `*` is all that its user may. */
  abilities?: string[]
  /** Milliseconds; never when absent. */
  expiresIn?: number | null
}

/**
 * Makes an API key for the user who speaks through `acting`. A session holds every ability of its
 * user, so no key can grant more than its maker has. Returns the value, which is not kept.
 *
 * Throws `E_SESSION_ENDED` when `acting` ended meanwhile, so that a device that was just signed
 * out leaves no key behind, and `E_VALIDATION_ERROR` when the user holds as many as they may.
 */
export async function createApiKey(
  acting: Session,
  wanted: NewApiKey
): Promise<{ value: string; apiKey: ApiKey }> {
  return withLiveSession(acting, async (trx, user) => {
    const { total } = await keysOfUser(trx, user).count('* as total').firstOrFail()
    if (Number(total) >= KEYS_PER_USER) throw tooMany()

    const now = clock.now()
    const value = mintToken('api_key')
    const abilities = [...new Set(wanted.abilities ?? ['*'])]
    const row = {
      tokenable_id: user.id,
      type: 'api_key',
      name: wanted.name,
      description: wanted.description ?? null,
      hash: hashToken(value),
      abilities: JSON.stringify(abilities),
      created_at: now,
      updated_at: now,
      expires_at: wanted.expiresIn ? new Date(now.getTime() + wanted.expiresIn) : null,
    }
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

function tooMany() {
  return new E_VALIDATION_ERROR([
    {
      field: 'name',
      rule: 'limit',
      message: `An account may hold ${KEYS_PER_USER} API keys. Delete one first.`,
    },
  ])
}
