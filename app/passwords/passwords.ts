import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import hash from '@adonisjs/core/services/hash'
import { Semaphore, type Caller } from '#app/background/semaphore'
import { hashSeconds, registerQueue } from '#app/metrics/metrics'
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
 * Whether the password is the one behind the hash. Without a hash (no such user, or one without
 * a password) it does the same work on a decoy and says no. Throws `E_UNAVAILABLE` when too many
 * wait.
 */
export async function verifyPassword(
  hashed: string | null,
  password: string,
  caller?: Caller
): Promise<boolean> {
  if (hashed && hash.isValidHash(hashed)) {
    return inTurn(() => hash.verify(hashed, password), caller)
  }
  const decoyHash = await prepareDecoy()
  await inTurn(() => hash.verify(decoyHash, password), caller)
  return false
}

/**
 * Whether the hash was made with other parameters than those in force.
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
