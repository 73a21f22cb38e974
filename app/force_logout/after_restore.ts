import { inTransaction } from '#app/database/transaction'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { renameLog } from '#app/event_log/new_log'
import {
  forceLogout,
  type ForceLogoutResult,
  type ForceLogoutWatch,
} from '#app/force_logout/force_logout'

/**
 * Makes a database safe that was put back from a backup. It has forgotten what happened since: sessions
 * that ended live again, and services may have cached tokens that it does not know. So whoever follows the
 * log must begin anew, also one whose last entry the backup holds, and then every session ends, by one
 * watermark, which moves everyone's valid-from.
 *
 * `keepSessions` is for a backup that lost nothing, such as a move to another server: sessions and
 * valid-from stay as they are, and null is returned.
 */
export async function settleRestore(
  { keepSessions, actor }: { keepSessions: boolean; actor: Actor },
  watch: ForceLogoutWatch = {}
): Promise<ForceLogoutResult | null> {
  await inTransaction(async (trx) => {
    await renameLog(trx)
    await appendEvents(trx, [
      { type: 'database.restored', userId: null, actor, data: { keptSessions: keepSessions } },
    ])
  })
  if (keepSessions) return null
  return forceLogout({ who: 'everyone', actor, note: 'The database was restored.' }, watch)
}
