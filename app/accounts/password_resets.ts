import { randomBytes } from 'node:crypto'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { hashToken } from '#app/tokens/token'

/**
 * How long a reset link is good, in milliseconds.
 */
export const RESET_LIFETIME = 60 * 60 * 1000

/**
 * No account is mailed more than one link in so long, in milliseconds: whoever asks, its mailbox is
 * not flooded, and it holds few links.
 */
export const RESET_PAUSE = 60 * 1000

/**
 * Makes a new reset token of a user; null when one was made less than a minute ago. Earlier ones
 * stay valid, or a stranger who asks would spoil the link its owner is about to follow. Returns the
 * value, which is mailed and never stored. For use under the user's lock.
 */
export async function mintReset(
  trx: TransactionClientContract,
  userId: number
): Promise<string | null> {
  const token = `opr_${randomBytes(32).toString('base64url')}`
  const now = clock.now()
  const recent = await trx
    .from('password_resets')
    .where('user_id', userId)
    .where('created_at', '>', new Date(now.getTime() - RESET_PAUSE))
    .select('hash')
    .first()
  if (recent) return null
  await trx.table('password_resets').insert({
    hash: hashToken(token),
    user_id: userId,
    created_at: now,
    expires_at: new Date(now.getTime() + RESET_LIFETIME),
  })
  return token
}

/**
 * Whose reset token this is; null when it is none, spent or past its time.
 */
export async function ownerOfReset(token: string): Promise<number | null> {
  const row = await db
    .from('password_resets')
    .where('hash', hashToken(token))
    .where('expires_at', '>', clock.now())
    .select('user_id')
    .first()
  return row?.user_id ?? null
}

/**
 * Spends a reset token: true once, for one of all who try. For use under the user's lock.
 */
export async function spendReset(
  trx: TransactionClientContract,
  userId: number,
  token: string
): Promise<boolean> {
  const deleted: unknown = await trx
    .from('password_resets')
    .where('hash', hashToken(token))
    .where('user_id', userId)
    .where('expires_at', '>', clock.now())
    .delete()
  return Number(deleted) === 1
}

/**
 * Makes the user's reset links worthless: whatever changes the password, disables or deletes the
 * account does so in its transaction.
 */
export async function forgetResets(trx: TransactionClientContract, userId: number): Promise<void> {
  await trx.from('password_resets').where('user_id', userId).delete()
}
