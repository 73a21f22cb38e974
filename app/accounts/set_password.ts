import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { forgetResets } from '#app/accounts/password_resets'
import { moveValidFrom } from '#app/sessions/valid_from'
import type User from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'

/**
 * Writes a user's new password, a hash made by `hashPassword`, and makes reset links that are out
 * worthless. For use under the user's lock, beside what ends the sessions.
 */
export async function setPassword(
  trx: TransactionClientContract,
  user: User,
  hashed: string,
  by: { actor: Actor; means: 'change' | 'reset' }
): Promise<void> {
  user.password = hashed
  await user.useTransaction(trx).save()
  await forgetResets(trx, user.id)
  await moveValidFrom(trx, user.id)
  await appendEvents(trx, [
    {
      type: 'password.changed',
      userId: user.id,
      actor: by.actor,
      data: { means: by.means },
    },
  ])
}
