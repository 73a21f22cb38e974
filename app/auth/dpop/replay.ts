import { createHash } from 'node:crypto'
import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { rows } from '#app/database/sql'
import { PROOF_CLOCK_TOLERANCE, PROOF_MAX_AGE, type Proof } from '#app/auth/dpop/proof'

/**
 * Remembers a proof until it would be too old anyway, on every node that shares the database.
 * False when it was seen before: the unique key decides between nodes that ask at once. Within a
 * transaction it counts as seen only once that commits.
 */
export async function rememberProof(
  { keyThumbprint, jti, issuedAt }: Proof,
  client: QueryClientContract = db.connection()
): Promise<boolean> {
  const hash = createHash('sha256').update(`${keyThumbprint}.${jti}`).digest('hex')
  const until = issuedAt.getTime() + (PROOF_MAX_AGE + 2 * PROOF_CLOCK_TOLERANCE) * 1000
  const inserted = await rows(
    client,
    'INSERT INTO dpop_proofs (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING RETURNING hash',
    [hash, new Date(until)]
  )
  return inserted.length === 1
}
