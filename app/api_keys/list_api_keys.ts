import db from '@adonisjs/lucid/services/db'
import { toApiKey, type ApiKey } from '#app/api_keys/api_key'
import { keysOfUser } from '#app/api_keys/keys_of_user'
import type User from '#models/user'

/**
 * A user's API keys, newest first. A key past its time is listed until it is pruned.
 */
export async function listApiKeys(user: Pick<User, 'id' | 'watermarkApiKeyId'>): Promise<ApiKey[]> {
  const rows = await keysOfUser(db.connection(), user).orderBy('id', 'desc')
  return rows.map(toApiKey)
}
