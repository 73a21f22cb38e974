import db from '@adonisjs/lucid/services/db'
import { toApiKey, type ApiKey } from '#app/api_keys/api_key'
import type { Page } from '#app/event_log/list'
import { UNENDED_KEY_SQL } from '#app/sessions/liveness'
import type User from '#models/user'

/**
 * An API key with whose it is, as operators see it.
 */
export type ListedKey = ApiKey & { owner: Pick<User, 'id' | 'email' | 'externalId'> }

/**
 * One page of the API keys of a user, or of everyone (null), newest first, with the paginator's numbers.
 * One past its time is listed until its end is written.
 */
export async function listKeysWithUsers(user: Pick<User, 'id'> | null, { page, perPage }: Page) {
  const query = withOwner().orderBy('api_tokens.id', 'desc')
  if (user) query.where('api_tokens.tokenable_id', user.id)
  const paginator = await query.paginate(page, perPage)
  return { keys: paginator.all().map(toListedKey), meta: paginator.getMeta() }
}

/**
 * An API key by its id; null when there is none.
 */
export async function findKey(id: number): Promise<ListedKey | null> {
  const row = await withOwner().where('api_tokens.id', id).first()
  return row && toListedKey(row)
}

function withOwner() {
  return db
    .from('api_tokens')
    .whereRaw(UNENDED_KEY_SQL)
    .join('users', 'users.id', 'api_tokens.tokenable_id')
    .select('api_tokens.*', 'users.email', 'users.external_id')
}

function toListedKey(row: any): ListedKey {
  const owner = { id: row.tokenable_id, email: row.email, externalId: row.external_id }
  return { ...toApiKey(row), owner }
}
