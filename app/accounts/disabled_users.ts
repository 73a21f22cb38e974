import { DateTime } from 'luxon'
import clock from '#app/clock'
import { keepAnAdmin } from '#app/accounts/roles_and_limits'
import type { Watch } from '#app/background/batches'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { withUserLock } from '#app/sessions/user_lock'
import { moveValidFrom } from '#app/sessions/valid_from'
import { backfillWatermarks } from '#app/watermarks/backfill'
import { backfillInBackground } from '#app/watermarks/backfill_in_background'
import { endAllOfUser } from '#app/watermarks/end_all_of_user'
import type User from '#models/user'

/**
 * By whom an account is disabled, and why.
 */
export type DisableOrder = { actor: Actor; note?: string | null }

export type DisabledUser = { user: User; ended: number; apiKeysEnded: number }

/**
 * Disables an account and ends all its sessions and API keys, in one transaction: nobody signs in
 * to it until it is enabled. One that is disabled already stays as it is. Returns null when there
 * is no such user.
 *
 * With `later`, the rows of very many are written afterwards; their tokens stop at once all the
 * same. Throws `E_FORBIDDEN` for the last administrator.
 */
export async function disableUser(
  userId: number,
  { actor, note }: DisableOrder,
  watch: Watch & { later?: boolean } = {}
): Promise<DisabledUser | null> {
  const disabled = await withUserLock(userId, async (trx, user) => {
    if (!user) return null
    if (user.isDisabled) return { user, ended: 0, apiKeysEnded: 0, watermark: null }
    await keepAnAdmin(trx, user)

    user.disabledAt = DateTime.fromJSDate(clock.now())
    await user.useTransaction(trx).save()
    await moveValidFrom(trx, user.id)
    const reason = 'account_disabled'
    const all = await endAllOfUser(trx, user, { reason, actor, note, includeApiKeys: true })
    const { ended, apiKeysEnded, watermark } = all
    await appendEvents(trx, [
      {
        type: 'user.disabled',
        userId: user.id,
        actor,
        data: { note: note ?? null, matched: ended, apiKeysMatched: apiKeysEnded },
      },
    ])
    return { user, ended, apiKeysEnded, watermark }
  })
  if (!disabled) return null

  const { watermark, ...result } = disabled
  if (watermark && watch.later) backfillInBackground()
  else if (watermark) await backfillWatermarks({ ...watch, only: [watermark.id] })
  return result
}

/**
 * Lets a disabled account sign in again. What ended stays ended. Returns the user as it stands
 * then; null when there is no such user.
 */
export async function enableUser(
  userId: number,
  { actor, note }: { actor: Actor; note?: string | null }
): Promise<User | null> {
  return withUserLock(userId, async (trx, user) => {
    if (!user?.isDisabled) return user
    user.disabledAt = null
    await user.useTransaction(trx).save()
    await appendEvents(trx, [
      { type: 'user.enabled', userId: user.id, actor, data: { note: note ?? null } },
    ])
    return user
  })
}
