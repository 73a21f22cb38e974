import { withManagedUser } from '#app/accounts/administrator'
import { keysOfUser } from '#app/api_keys/api_key'
import { endApiKeys } from '#app/api_keys/end_api_keys'
import type { Actor } from '#app/event_log/actor'
import { E_NOT_FOUND } from '#exceptions/errors'

/**
 * Ends the API keys of a user, or one of them, by an administrator. Returns how many. Throws
 * `E_NOT_FOUND` for what is no key of this user, and `E_FORBIDDEN` where a service client would touch
 * an admin.
 */
export async function endKeysOfUser(
  userId: number,
  { keyId, actor, note }: { keyId?: number; actor: Actor; note?: string | null }
): Promise<number> {
  const ended = await withManagedUser(userId, actor, async (trx, user) => {
    const query = keysOfUser(trx, user).select('id')
    if (keyId !== undefined) query.where('id', keyId)
    const keys = await query
    if (keyId !== undefined && keys.length === 0) throw new E_NOT_FOUND()
    const ids = keys.map(({ id }) => Number(id))
    return endApiKeys(trx, ids, { reason: 'forced', actor, note })
  })
  if (ended === null) throw new E_NOT_FOUND()
  return ended
}
