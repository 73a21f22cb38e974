import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import User, { type Role } from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'

export type NewUser = {
  email: string
  /** A hash made by `hashPassword`. */
  password: string
  fullName?: string | null
  role?: Role
  externalId?: string | null
}

/**
 * Writes a new user and the event that tells of it, in the caller's transaction. Throws
 * `E_VALIDATION_ERROR` when the e-mail is taken. Without an actor, the user made the account.
 */
export async function createUser(
  trx: TransactionClientContract,
  account: NewUser,
  actor?: Actor
): Promise<User> {
  const user = await User.create(account, { client: trx }).catch((error) => {
    throw isUniqueViolation(error) ? emailTaken() : error
  })
  await appendEvents(trx, [
    {
      type: 'user.created',
      userId: user.id,
      actor: actor ?? `user:${user.id}`,
      data: { role: user.role },
    },
  ])
  return user
}

function emailTaken() {
  return new E_VALIDATION_ERROR([
    { field: 'email', rule: 'unique', message: 'The email has already been taken' },
  ])
}

/**
 * 23505 is PostgreSQL's SQLSTATE.
 */
function isUniqueViolation(error: { code?: string; message: string }): boolean {
  return error.code === '23505' || /UNIQUE constraint failed/.test(error.message)
}
