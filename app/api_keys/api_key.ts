import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { toDate, type StoredInstant } from '#models/instant'
import { abilitiesOf } from '#app/tokens/abilities'
import type User from '#models/user'

/**
 * A long-lived credential of a user for scripts, without a session. Its value is shown once, at
 * its creation.
 */
export type ApiKey = {
  id: number
  name: string
  description: string | null
  /** What it may do now. */
  abilities: string[]
  createdAt: Date
  lastUsedAt: Date | null
  expiresAt: Date | null
}

/**
 * The columns that make an `ApiKey`.
 */
export type ApiKeyRow = {
  id: number | string
  name: string
  description: string | null
  abilities: string
  created_at: StoredInstant
  last_used_at: StoredInstant | null
  expires_at: StoredInstant | null
}

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: Number(row.id),
    name: row.name,
    description: row.description,
    abilities: abilitiesOf('api_key', row.abilities),
    createdAt: toDate(row.created_at),
    lastUsedAt: toDate(row.last_used_at),
    expiresAt: toDate(row.expires_at),
  }
}

/**
 * The API keys of a user that are neither ended nor covered by a watermark: a watermark stops keys whose rows are
 * ended behind it, and those are as good as gone. One past its time is among them until it is
 * pruned.
 */
export function keysOfUser(
  client: QueryClientContract,
  user: Pick<User, 'id' | 'watermarkApiKeyId'>
) {
  return client
    .from('api_tokens')
    .where({ tokenable_id: user.id, type: 'api_key' })
    .where('id', '>', user.watermarkApiKeyId)
    .whereRaw('id > (SELECT coalesce(max(api_key_id), 0) FROM cutoffs WHERE user_id IS NULL)')
}

/**
 * Those of them that are not past their time.
 */
export function liveKeysOfUser(
  client: QueryClientContract,
  user: Pick<User, 'id' | 'watermarkApiKeyId'>
) {
  return keysOfUser(client, user).where((alive) => {
    alive.whereNull('expires_at').orWhere('expires_at', '>', clock.now())
  })
}

/**
 * The names of a user's live API keys, newest first.
 */
export async function namesOfLiveKeys(
  client: QueryClientContract,
  user: Pick<User, 'id' | 'watermarkApiKeyId'>
): Promise<string[]> {
  const keys = await liveKeysOfUser(client, user).orderBy('id', 'desc').select('name')
  return keys.map(({ name }) => name ?? '')
}

/**
 * Says to whom ends sessions that so many API keys live on, and how they are ended (`how`: what to
 * do); null where there are none.
 */
export function keysLiveOn(count: number, how: string): string | null {
  if (count === 0) return null
  return count === 1
    ? `1 API key lives on. To end it, ${how}.`
    : `${count} API keys live on. To end them, ${how}.`
}

/**
 * The same to their owner.
 */
export function ownKeysLiveOn(count: number): string | null {
  return keysLiveOn(count, 'send DELETE /api/v1/api-keys/:id')
}

/**
 * A user's API keys, newest first. A key past its time is listed until it is pruned.
 */
export async function listApiKeys(user: Pick<User, 'id' | 'watermarkApiKeyId'>): Promise<ApiKey[]> {
  const rows = await keysOfUser(db.connection(), user).orderBy('id', 'desc')
  return rows.map(toApiKey)
}
