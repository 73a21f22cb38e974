import { createHash } from 'node:crypto'
import db from '@adonisjs/lucid/services/db'
import { rows } from '#app/database/sql'
import { PROOF_CLOCK_TOLERANCE, PROOF_MAX_AGE, type Proof } from '#app/auth/dpop/proof'

/**
 * Runs work that a proof stands for, once: a proof that was used before is refused by `refuse`. When
 * the work fails the proof counts as unused, so that who is refused leaves no row.
 */
export async function withProof<Result>(
  proof: Proof | null,
  refuse: () => Error,
  work: () => Promise<Result>
): Promise<Result> {
  if (proof === null) return work()
  if (!(await rememberProof(proof))) throw refuse()
  try {
    return await work()
  } catch (error) {
    await forgetProof(proof).catch(() => {})
    throw error
  }
}

async function forgetProof(proof: Proof): Promise<void> {
  await db.from('dpop_proofs').where('hash', nameOf(proof)).delete()
}

function nameOf({ keyThumbprint, jti }: Proof): string {
  return createHash('sha256').update(`${keyThumbprint}.${jti}`).digest('hex')
}

/**
 * Remembers a proof until it would be too old anyway, on every node that shares the database.
 * False when it was seen before: the unique key decides between nodes that ask at once.
 */
export async function rememberProof(proof: Proof): Promise<boolean> {
  const until = proof.issuedAt.getTime() + (PROOF_MAX_AGE + 2 * PROOF_CLOCK_TOLERANCE) * 1000
  const inserted = await rows(
    db.connection(),
    'INSERT INTO dpop_proofs (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING RETURNING hash',
    [nameOf(proof), new Date(until)]
  )
  return inserted.length === 1
}
