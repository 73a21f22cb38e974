import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { E_FORBIDDEN } from '#exceptions/errors'
import type User from '#models/user'

/**
 * Any number that no other advisory lock of the application uses.
 */
const ADMINS_LOCK = 7_301_001

/**
 * Lets an administrator go only when another one, enabled, is left. For use under the user's
 * lock: two who go at once do so one after the other, and the second is refused.
 *
 * Throws `E_FORBIDDEN` for the last.
 */
export async function keepAnAdmin(trx: TransactionClientContract, leaving: User): Promise<void> {
  if (!leaving.isAdmin) return
  if (trx.dialect.name === 'postgres') {
    await trx.rawQuery('SELECT pg_advisory_xact_lock(?)', [ADMINS_LOCK])
  }
  const other = await trx
    .from('users')
    .where('role', 'admin')
    .whereNot('id', leaving.id)
    .whereNull('disabled_at')
    .select('id')
    .first()
  if (!other) {
    throw new E_FORBIDDEN({
      message: 'This is the last administrator. Make another one first.',
    })
  }
}
