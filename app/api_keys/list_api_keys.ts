import db from '@adonisjs/lucid/services/db'
import { toApiKey, type ApiKey } from '#app/api_keys/api_key'

/**
 * A user's API keys, newest first. A key past its time is listed until it is pruned.
 */
export async function listApiKeys(user: { id: number; cutApiKeyId: number }): Promise<ApiKey[]> {
  const rows = await db
    .from('api_tokens')
    .where({ tokenable_id: user.id, type: 'api_key' })
    .where('id', '>', user.cutApiKeyId)
    .orderBy('id', 'desc')
  return rows.map(toApiKey)
}
