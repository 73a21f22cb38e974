import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import type { Page } from '#app/event_log/list'
import { toDate, type StoredInstant } from '#models/instant'
import { aliveKeySql, UNENDED_KEY_SQL } from '#app/sessions/liveness'
import { abilitiesOf } from '#app/tokens/abilities'
import { E_NOT_FOUND } from '#exceptions/errors'
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
 * The id of a key in a path. Throws `E_NOT_FOUND` for what is none.
 */
export function keyIdOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new E_NOT_FOUND()
  return Number(text)
}

/**
 * The API keys of a user that nobody has ended. One past its time is among them until its end is
 * written.
 */
export function keysOfUser(client: QueryClientContract, user: Pick<User, 'id'>) {
  return client.from('api_tokens').where('tokenable_id', user.id).whereRaw(UNENDED_KEY_SQL)
}

/**
 * The names of a user's live API keys, newest first.
 */
export async function namesOfLiveKeys(
  client: QueryClientContract,
  user: Pick<User, 'id'>
): Promise<string[]> {
  const alive = aliveKeySql(clock.now())
  const keys = await client
    .from('api_tokens')
    .where('tokenable_id', user.id)
    .whereRaw(alive.sql, alive.bindings)
    .orderBy('id', 'desc')
    .select('name')
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
 * A user's API keys, newest first. A key past its time is listed until its end is written.
 */
export async function listApiKeys(user: Pick<User, 'id'>): Promise<ApiKey[]> {
  const rows = await keysOfUser(db.connection(), user).orderBy('id', 'desc')
  return rows.map(toApiKey)
}

/**
 * One page of the same, with the paginator's numbers.
 */
export async function pageOfApiKeys(user: Pick<User, 'id'>, { page, perPage }: Page) {
  const query = keysOfUser(db.connection(), user).orderBy('id', 'desc')
  const paginator = await query.paginate(page, perPage)
  return { keys: paginator.all().map(toApiKey), meta: paginator.getMeta() }
}
