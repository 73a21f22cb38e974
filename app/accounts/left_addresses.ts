import { createHmac } from 'node:crypto'
import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import { derivedKey } from '#app/tokens/token'
import { normalizeEmail } from '#models/email_address'

const key = derivedKey('latchkey address that an account left')

/*
 * Addresses that an account here had and has no more: it was deleted, or has another one. What another
 * system says of them makes no new account. Kept is a hash under a key of this application, which tells no
 * address.
 */

/**
 * Remembers that an account leaves its address. For the transaction in which it does.
 */
export async function rememberLeftAddress(
  trx: TransactionClientContract,
  email: string | null
): Promise<void> {
  if (email === null) return
  await rows(
    trx,
    'INSERT INTO left_addresses (hash, left_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING',
    [hashOf(email), clock.now()]
  )
}

/**
 * Those of some addresses that an account here has left.
 */
export async function leftAddresses(
  client: QueryClientContract,
  emails: string[]
): Promise<Set<string>> {
  const byHash = new Map(emails.map((email) => [hashOf(email), email]))
  const found: { hash: string }[] = await client
    .from('left_addresses')
    .whereIn('hash', [...byHash.keys()])
    .select('hash')
  return new Set(found.map(({ hash }) => byHash.get(hash)!))
}

function hashOf(email: string): string {
  return createHmac('sha256', key)
    .update(normalizeEmail(email) ?? email)
    .digest('hex')
}
