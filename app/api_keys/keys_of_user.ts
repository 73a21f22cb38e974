import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import type User from '#models/user'

/**
 * The API keys of a user that are neither ended nor cut off: a cut-off stops keys whose rows are
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
