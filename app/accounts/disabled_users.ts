import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { DateTime } from 'luxon'
import clock from '#app/clock'
import { withManagedUser } from '#app/accounts/administrator'
import { keepAnAdmin } from '#app/accounts/roles_and_limits'
import type { Watch } from '#app/background/batches'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { endSupportSessionsBy } from '#app/sessions/support'
import { moveValidFrom } from '#app/sessions/valid_from'
import { backfillWatermarks } from '#app/watermarks/backfill'
import { backfillInBackground } from '#app/watermarks/backfill_in_background'
import { endAllOfUser, type EndedAll } from '#app/watermarks/end_all_of_user'
import type User from '#models/user'

/**
 * By whom an account is disabled or enabled, and why.
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
  order: DisableOrder,
  watch: Watch & { later?: boolean } = {}
): Promise<DisabledUser | null> {
  const disabled = await withManagedUser(userId, order.actor, async (trx, user) => ({
    user,
    ...(await writeDisabled(trx, user, order)),
  }))
  if (!disabled) return null

  const { watermark, ...result } = disabled
  if (watermark && watch.later) backfillInBackground()
  else if (watermark) await backfillWatermarks({ ...watch, only: [watermark.id] })
  return result
}

/**
 * The same under the user's lock. What a `watermark` covers has stopped; the caller has the rows written.
 */
export async function writeDisabled(
  trx: TransactionClientContract,
  user: User,
  { actor, note }: DisableOrder
): Promise<Omit<EndedAll, 'sessions'>> {
  endSupportSessionsBy(trx, `user:${user.id}`)
  if (user.isDisabled) return { ended: 0, apiKeysEnded: 0, watermark: null }
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
  return { ended, apiKeysEnded, watermark }
}

/**
 * Lets a disabled account sign in again. What ended stays ended. Returns the user as it stands
 * then; null when there is no such user.
 */
export async function enableUser(userId: number, order: DisableOrder): Promise<User | null> {
  return withManagedUser(userId, order.actor, async (trx, user) => {
    await writeEnabled(trx, user, order)
    return user
  })
}

/**
 * The same under the user's lock.
 */
export async function writeEnabled(
  trx: TransactionClientContract,
  user: User,
  { actor, note }: DisableOrder
): Promise<void> {
  if (!user.isDisabled) return
  user.disabledAt = null
  await user.useTransaction(trx).save()
  await appendEvents(trx, [
    { type: 'user.enabled', userId: user.id, actor, data: { note: note ?? null } },
  ])
}
