import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import { toDate, type StoredInstant } from '#models/instant'

/*
 * Valid-from: credentials of old systems and links in mails that were issued before this instant are
 * worth nothing. There is one for each user and one for everyone, and both are data of their own: the log, which
 * tells what moved them, is pruned.
 */

/**
 * Makes credentials of old systems and links in mails worthless that were issued until now: those of
 * one user, whose row the transaction holds, or of everyone (null). Whatever forces a user out, signs all devices
 * out, sets a new password or disables the account does so in its transaction.
 */
export async function moveValidFrom(
  trx: TransactionClientContract,
  userId: number | null
): Promise<void> {
  const now = clock.now()
  if (userId !== null) {
    await trx.from('users').where('id', userId).update({ valid_from: now })
    /** Also links of a node whose clock is ahead. The rows stay: they say when the last mail went. */
    await trx.from('password_resets').where('user_id', userId).update({ expires_at: now })
    return
  }
  await rows(
    trx,
    `INSERT INTO everyone (id, valid_from) VALUES (1, ?)
     ON CONFLICT (id) DO UPDATE SET valid_from = excluded.valid_from RETURNING id`,
    [now]
  )
}

/**
 * The instant before which credentials of old systems are worth nothing to a user: the later one of
 * their own and everyone's; null when neither was ever set.
 */
export async function validFromOf(
  client: QueryClientContract,
  userId: number
): Promise<Date | null> {
  const found = await rows<{ valid_from: StoredInstant | null }>(
    client,
    `SELECT valid_from FROM users WHERE id = ? AND valid_from IS NOT NULL
     UNION ALL SELECT valid_from FROM everyone WHERE valid_from IS NOT NULL`,
    [userId]
  )
  const instants = found.map(({ valid_from: at }) => toDate(at!).getTime())
  return instants.length === 0 ? null : new Date(Math.max(...instants))
}
