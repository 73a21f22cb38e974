import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Caller } from '#app/background/semaphore'
import { endApiKeys } from '#app/api_keys/end_api_keys'
import { confirmOwner } from '#app/accounts/confirm_owner'
import { withManagedUser } from '#app/accounts/administrator'
import { rememberLeftAddress } from '#app/accounts/left_addresses'
import { keepAnAdmin } from '#app/accounts/roles_and_limits'
import { E_INVALID_CREDENTIALS } from '#exceptions/errors'
import { writeDueEnds, endSessions } from '#app/sessions/end'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { endSupportSessionsBy } from '#app/sessions/support'
import { withLiveSession } from '#app/sessions/with_live_session'
import type { Session } from '#app/sessions/session'
import type User from '#models/user'

/**
 * Deletes the account of the user who speaks through `acting`. Sessions and API keys end
 * (`account_deleted`) and stay explained to their holders; the user's row goes; the log keeps the
 * id and nothing that names the person.
 *
 * Throws what `confirmOwner` throws, `E_FORBIDDEN` for the last
 * administrator, and `E_SESSION_ENDED` when `acting` ended meanwhile. Then nothing has changed.
 */
export async function deleteAccount(
  acting: Session,
  currentPassword: string | undefined,
  caller?: Caller
): Promise<void> {
  const verified = await confirmOwner(acting, currentPassword, caller)

  await withLiveSession(acting, async (trx, user) => {
    if (user.password !== verified.password) throw new E_INVALID_CREDENTIALS()
    await writeDeleted(trx, user, { actor: `user:${user.id}` })
  })
}

/**
 * The same by somebody else. Returns whether there was such a user.
 */
export async function deleteUser(
  userId: number,
  order: { actor: Actor; note?: string | null }
): Promise<boolean> {
  const deleted = await withManagedUser(userId, order.actor, async (trx, user) => {
    await writeDeleted(trx, user, order)
    return true
  })
  return deleted !== null
}

async function writeDeleted(
  trx: TransactionClientContract,
  user: User,
  { actor, note }: { actor: Actor; note?: string | null }
): Promise<void> {
  await keepAnAdmin(trx, user)
  endSupportSessionsBy(trx, `user:${user.id}`)
  const ending = { reason: 'account_deleted', actor, note } as const

  /** The user's watermarks go with the user, so what they cover is written first. */
  const live = await writeDueEnds(trx, user.id, { allCovered: true })
  await endSessions(trx, live, ending)

  const keys = await trx
    .from('api_tokens')
    .select('id')
    .where({ tokenable_id: user.id, type: 'api_key' })
  await endApiKeys(
    trx,
    keys.map(({ id }) => Number(id)),
    ending
  )

  await rememberLeftAddress(trx, user.email)
  const data = note ? { note } : {}
  await appendEvents(trx, [{ type: 'user.deleted', userId: user.id, actor, data }])
  await user.useTransaction(trx).delete()
}
