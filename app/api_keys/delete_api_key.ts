import { endApiKeys } from '#app/api_keys/end_api_keys'
import { keysOfUser } from '#app/api_keys/keys_of_user'
import { E_NOT_FOUND } from '#exceptions/errors'
import { withLiveSession } from '#app/sessions/log_out'
import type { Session } from '#app/sessions/session'

/**
 * Ends an API key of the user who speaks through `acting`. Throws `E_NOT_FOUND` for what is no key
 * of this user, and `E_SESSION_ENDED` when `acting` ended meanwhile.
 */
export async function deleteApiKey(acting: Session, id: number): Promise<void> {
  await withLiveSession(acting, async (trx, user) => {
    const key = await keysOfUser(trx, user).where('id', id).first()
    if (!key) throw new E_NOT_FOUND()
    await endApiKeys(trx, [{ id, userId: user.id, name: key.name }], {
      reason: 'logged_out_elsewhere',
      actor: `user:${user.id}`,
    })
  })
}
