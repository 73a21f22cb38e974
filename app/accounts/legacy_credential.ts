import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { insertOf, rows } from '#app/database/sql'
import type User from '#models/user'

/**
 * What a JWT or a token of the old system says, once it is certain that the old system said it.
 */
export type LegacyCredential = {
  /** Who the user is, and how to read that. */
  user: string
  by: 'email' | 'id' | 'external'
  /** When it was issued; null when it does not say. */
  issuedAt: Date | null
  /** When the person showed who they are; null when it does not say. */
  authenticatedAt: Date | null
  /** Marks it as exchanged. False when it was: it works once. */
  spend: (trx: TransactionClientContract, user: User) => Promise<boolean>
}

/**
 * Keeps the hash of a credential. False when it was there: the unique key decides between two at once.
 */
export async function keepHash(
  trx: TransactionClientContract,
  table: 'exchanged_jwts' | 'spent_legacy_tokens',
  row: { hash: string } & Record<string, unknown>
): Promise<boolean> {
  const { sql, bindings } = insertOf(table, [row])
  const kept = await rows(trx, `${sql} ON CONFLICT (hash) DO NOTHING RETURNING hash`, bindings)
  return kept.length === 1
}
