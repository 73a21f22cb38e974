import { registerQueue } from '#app/metrics/metrics'
import { randomBytes } from 'node:crypto'
import hash from '@adonisjs/core/services/hash'
import env from '#start/env'
import { HashQueue } from '#app/passwords/hash_queue'

/**
 * All password hashing goes through this queue.
 */
export const hashQueue = new HashQueue(() => env.get('HASH_QUEUE_LIMIT'))
registerQueue('password_hash', () => hashQueue.waiting)

let decoy: Promise<string> | undefined

/**
 * The hash of a password, in PHC string format. Throws `E_UNAVAILABLE` when too many wait.
 */
export function hashPassword(password: string): Promise<string> {
  return hashQueue.run(() => hash.make(password))
}

/**
 * Whether the password is the one behind the hash. Without a hash (no such user, or one without
 * a password) it does the same work on a decoy and says no. Throws `E_UNAVAILABLE` when too many
 * wait.
 */
export async function verifyPassword(hashed: string | null, password: string): Promise<boolean> {
  if (hashed && hash.isValidHash(hashed)) {
    return hashQueue.run(() => hash.verify(hashed, password))
  }
  const decoyHash = await prepareDecoy()
  await hashQueue.run(() => hash.verify(decoyHash, password))
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
