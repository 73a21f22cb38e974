import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import hash from '@adonisjs/core/services/hash'
import { Semaphore, type Caller } from '#app/background/semaphore'
import { hashSeconds, registerQueue } from '#app/metrics/metrics'
import { readHash, type Family, type ForeignHash } from '#app/passwords/foreign_hash'
import { decoysOfForeignHashes } from '#app/passwords/foreign_hashes_here'
import env from '#start/env'

/**
 * All password hashing goes through this queue. A hash takes a whole core for tens of
 * milliseconds: without a bound a storm of sign-ins takes the checks of every other request down
 * with it. So at most as many run at once as there are cores less one.
 */
export const hashQueue = new Semaphore({ total: Math.max(availableParallelism() - 1, 1) }, () =>
  env.get('HASH_QUEUE_LIMIT')
)
registerQueue('password_hash', () => hashQueue.waiting)

let decoy: Promise<string> | undefined

/**
 * The hash of a password, in PHC string format. `caller` is who asked for it: callers take turns.
 * Throws `E_UNAVAILABLE` when too many wait.
 */
export function hashPassword(password: string, caller?: Caller): Promise<string> {
  return inTurn(() => hash.make(password), caller)
}

/**
 * Whether the password is the one behind the hash, which may be one of another system's. Throws
 * `E_UNAVAILABLE` when too many wait.
 *
 * Every attempt that fails does the same work, whatever hash there is, or none: an Argon2id hash, and for
 * each family of imported hashes as much as the dearest of them takes. What its own hash leaves of that is
 * done on decoys, so the time tells neither whether there is such a user nor where they come from.
 */
export async function verifyPassword(
  hashed: string | null,
  password: string,
  caller?: Caller
): Promise<boolean> {
  const decoys = [await prepareDecoy(), ...(await decoysOfForeignHashes())]
  const isHash = hashed !== null && readHash(hashed) !== null
  return inTurn(async () => {
    if (isHash && (await hash.verify(hashed, password))) return true
    for (const other of workLeft(isHash ? hashed : null, decoys)) await hash.verify(other, password)
    return false
  }, caller)
}

/**
 * Hashes of nobody's password, whose work makes that of one hash as much as that of all the decoys.
 */
export function workLeft(hashed: string | null, decoys: string[]): string[] {
  const own = hashed === null ? null : readHash(hashed)
  const dearest = new Map<Family, ForeignHash>()
  for (const one of decoys.map((text) => readHash(text)!)) {
    if (one.work > (dearest.get(one.family)?.work ?? 0)) dearest.set(one.family, one)
  }
  return [...dearest.values()].flatMap((one) =>
    one.family === own?.family ? own.decoys(Math.max(one.work - own.work, 0)) : one.decoys(one.work)
  )
}

/**
 * Whether the hash was made by another system, or with other parameters than those in force.
 */
export function isOutdated(hashed: string): boolean {
  return hash.needsReHash(hashed)
}

/**
 * The decoy, made once. The server makes it at its start, so that the first wrong e-mail takes no
 * longer than the second. Throws `E_UNAVAILABLE` when too many wait; the next caller tries again.
 */
export function prepareDecoy(): Promise<string> {
  decoy ??= hashPassword(randomBytes(32).toString('base64url')).catch((error) => {
    decoy = undefined
    throw error
  })
  return decoy
}

function inTurn<Result>(work: () => Promise<Result>, caller?: Caller): Promise<Result> {
  return hashQueue.run(async () => {
    const measured = hashSeconds.startTimer()
    try {
      return await work()
    } finally {
      measured()
    }
  }, caller)
}
