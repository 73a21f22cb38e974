import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { inTransaction } from '#app/database/transaction'
import { createUser } from '#app/accounts/sign_up'
import { hashPassword } from '#app/passwords/passwords'
import type User from '#models/user'
import type { Role } from '#models/user'
import { openSession, type OpenedSession, type SignIn } from '#app/sessions/open'
import { hashToken, mintToken } from '#app/tokens/token'

export const PASSWORD = 'correct horse battery staple'

let hashed: Promise<string> | undefined
let serial = 0

/**
 * A user with an e-mail and a password, as most tests want one.
 */
export type UserWithEmail = User & { email: string }

/**
 * A user whose password is `PASSWORD`. The hash is made once a run.
 */
export async function makeUser(
  traits: { email?: string; role?: Role; fullName?: string } = {}
): Promise<UserWithEmail> {
  hashed ??= hashPassword(PASSWORD)
  const email = traits.email ?? `user${++serial}@example.com`
  const password = await hashed
  const user = await inTransaction((trx) => createUser(trx, { email, password, ...traits }))
  return user as UserWithEmail
}

/**
 * Opens a session as a sign-in would, without the password's work.
 */
export function signIn(user: User, said: Partial<SignIn['device']> & Partial<SignIn> = {}) {
  const { id = null, name = null, platform = null, ...rest } = said
  return openSession(user, {
    device: { id, name, platform },
    ip: '127.0.0.1',
    userAgent: 'tests',
    ...rest,
  }) as Promise<OpenedSession>
}

/**
 * An API key with abilities that nobody checked, as an older version may have left it. Returns its
 * value.
 */
export async function makeApiKey(
  user: Pick<User, 'id'>,
  abilities: string[],
  expiresAt: Date | null = null
): Promise<string> {
  const value = mintToken('api_key')
  const now = clock.now()
  await db.table('api_tokens').insert({
    tokenable_id: user.id,
    type: 'api_key',
    name: 'script',
    hash: hashToken(value),
    abilities: JSON.stringify(abilities),
    created_at: now,
    updated_at: now,
    expires_at: expiresAt,
  })
  return value
}
