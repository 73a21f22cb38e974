import { createHash } from 'node:crypto'
import db from '@adonisjs/lucid/services/db'
import { rows } from '#app/database/sql'
import { PROOF_CLOCK_TOLERANCE, PROOF_MAX_AGE, type Proof } from '#app/auth/dpop/proof'

/**
 * Remembers a proof until it would be too old anyway, on every node that shares the database.
 * False when it was seen before: the unique key decides between nodes that ask at once.
 */
export async function rememberProof(proof: Proof): Promise<boolean> {
  const name = createHash('sha256').update(`${proof.keyThumbprint}.${proof.jti}`).digest('hex')
  const until = proof.issuedAt.getTime() + (PROOF_MAX_AGE + 2 * PROOF_CLOCK_TOLERANCE) * 1000
  const inserted = await rows(
    db.connection(),
    'INSERT INTO dpop_proofs (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING RETURNING hash',
    [name, new Date(until)]
  )
  return inserted.length === 1
}
