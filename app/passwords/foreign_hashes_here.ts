import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import { afterCommit } from '#app/database/transaction'
import { readHash, type Family } from '#app/passwords/foreign_hash'

/**
 * How old what a process knows may be, in milliseconds. It says how long an attempt takes, and nothing
 * else.
 */
const KNOWN_FOR = 30_000

let known: { at: number; decoys: Promise<string[]> } | undefined

/**
 * A hash of nobody's password for each family of hashes that were imported, with the dearest
 * parameters among them.
 */
export function decoysOfForeignHashes(): Promise<string[]> {
  const now = clock.millis()
  if (!known || now - known.at > KNOWN_FOR || now < known.at) {
    const decoys = readDecoys(db.connection('lookup'))
    known = { at: now, decoys }
    decoys.catch(() => (known = undefined))
  }
  return known.decoys
}

async function readDecoys(client: QueryClientContract): Promise<string[]> {
  const found = await rows<{ decoy: string }>(client, 'SELECT decoy FROM foreign_hashes')
  return found.map(({ decoy }) => decoy)
}

/**
 * Notes the families and the costs of hashes that the transaction writes.
 */
export async function noteForeignHashes(
  trx: TransactionClientContract,
  hashes: string[]
): Promise<void> {
  const dearest = new Map<Family, { work: number; decoy: string }>()
  for (const text of hashes) {
    const hash = readHash(text)
    if (!hash || hash.work <= (dearest.get(hash.family)?.work ?? 0)) continue
    const [decoy] = hash.decoys(hash.work)
    dearest.set(hash.family, { work: hash.work, decoy })
  }
  for (const [family, { work, decoy }] of dearest) {
    await rows(
      trx,
      `INSERT INTO foreign_hashes (family, work, decoy) VALUES (?, ?, ?)
       ON CONFLICT (family) DO UPDATE SET work = excluded.work, decoy = excluded.decoy
       WHERE excluded.work > foreign_hashes.work`,
      [family, work, decoy]
    )
  }
  afterCommit(trx, () => (known = undefined))
}
