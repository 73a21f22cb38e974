import db from '@adonisjs/lucid/services/db'
import { DateTime } from 'luxon'
import { writeUser, type NewUser } from '#app/accounts/sign_up'
import clock from '#app/clock'
import { isUniqueViolation, rows } from '#app/database/sql'
import { inTransaction } from '#app/database/transaction'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Actor } from '#app/event_log/actor'
import { E_UNAVAILABLE, E_USER_EXISTS, E_USER_NOT_FOUND } from '#exceptions/errors'
import { byEmail, normalizeEmail } from '#models/email_address'
import type User from '#models/user'
import { SELECT_USERS, toUser, type UserRow } from '#models/user_row'

/**
 * By what another system names a user. The first given of `id`, `externalId` and `email` decides alone.
 */
export type UserKeys = { id?: number | null; externalId?: string | null; email?: string | null }

/**
 * An account as another system makes it: it knows the person, so there need be no password.
 */
export type GivenUser = UserKeys & { emailVerified?: boolean | null } & Omit<
    NewUser,
    'emailVerifiedAt' | 'mustVerifyEmail'
  >

/**
 * How often to look again when an account appears or changes between the look and the lock.
 */
const ATTEMPTS = 5

/**
 * Does `onKnown` to the account that the keys name, or makes it and does `onMade`. Of many at once that
 * name an account which is not there, one makes it and the others find it. Both functions return null
 * where the account is another by now, to look again.
 *
 * Throws `E_USER_EXISTS` where another account holds one of the keys, and `E_USER_NOT_FOUND` where there
 * is none and none is to be made: no key but an external id or an e-mail makes one.
 */
export async function findOrCreate<Result>(
  given: GivenUser,
  order: { create: boolean; actor: Actor },
  onKnown: (user: User) => Promise<Result | null>,
  onMade: (trx: TransactionClientContract, user: User) => Promise<Result>
): Promise<Result> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { user, others } = await lookUp(given)
    const mayCreate = order.create && (given.id ?? null) === null
    if (!user && !mayCreate) throw new E_USER_NOT_FOUND()
    if (others.length > 0) throw new E_USER_EXISTS()
    const result = user ? await onKnown(user) : await create(given, order.actor, onMade)
    if (result !== null) return result
  }
  throw new E_UNAVAILABLE()
}

/**
 * The account that the deciding key names, and the other accounts that hold the rest. One statement,
 * so that an account which is made meanwhile is there for all keys or for none. Read on the connection
 * of lookups, which waits for no sign-in that is being written.
 */
async function lookUp(keys: UserKeys): Promise<{ user: User | null; others: User[] }> {
  const { id = null, externalId = null, email = null } = keys
  const [spelling = null, normal = null] = (email !== null && byEmail(email)) || []
  const found = await rows<UserRow>(
    db.connection('lookup'),
    `${SELECT_USERS} WHERE id = ? OR external_id = ? OR email = ? OR email_key = ?`,
    [id, externalId, spelling, normal]
  )
  const users = found.map(toUser)
  const holders: (User | undefined)[] = []
  if (id !== null) holders.push(users.find((user) => user.id === id))
  if (externalId !== null) holders.push(users.find((user) => user.externalId === externalId))
  if (email !== null) {
    const exact = users.find((user) => user.email === spelling)
    holders.push(exact ?? users.find((user) => user.emailKey === normal))
  }
  const [user, ...rest] = holders
  const others = rest.filter((other) => other !== undefined && other.id !== user?.id)
  return { user: user ?? null, others: others as User[] }
}

/**
 * Null when somebody else made it first.
 */
async function create<Result>(
  { emailVerified, id, ...given }: GivenUser,
  actor: Actor,
  onMade: (trx: TransactionClientContract, user: User) => Promise<Result>
): Promise<Result | null> {
  const account = { ...given, email: normalizeEmail(given.email ?? '') }
  const isVerified = emailVerified === true && account.email !== null
  const emailVerifiedAt = isVerified ? DateTime.fromJSDate(clock.now()) : null
  return inTransaction(async (trx) => {
    const user = await writeUser(trx, { ...account, emailVerifiedAt }, actor)
    return onMade(trx, user)
  }).catch((error) => {
    if (isUniqueViolation(error)) return null
    throw error
  })
}

/**
 * Whether an account still answers to the keys by which it was found.
 */
export function isSame(found: User, now: User): boolean {
  return found.externalId === now.externalId && found.email === now.email
}
