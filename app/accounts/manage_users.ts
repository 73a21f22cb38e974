import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { DateTime } from 'luxon'
import {
  forbidden,
  isServiceClient,
  keepFromAdmins,
  withManagedUser,
} from '#app/accounts/administrator'
import { writeFields } from '#app/accounts/change_account'
import { awaitsVerification } from '#app/accounts/credentials'
import { writeDisabled, writeEnabled } from '#app/accounts/disabled_users'
import { setEmail, verifyEmail } from '#app/accounts/email_verification'
import { setPassword } from '#app/accounts/password_reset'
import { writeRole, writeSessionLimit } from '#app/accounts/roles_and_limits'
import { forgetSignUp } from '#app/accounts/sign_up'
import { findOrCreate, isSame, type GivenUser } from '#app/accounts/user_keys'
import clock from '#app/clock'
import { isUniqueViolation } from '#app/database/sql'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import { endSessions, writeDueEnds } from '#app/sessions/end'
import { backfillInBackground } from '#app/watermarks/backfill_in_background'
import { E_USER_EXISTS } from '#exceptions/errors'
import type User from '#models/user'
import type { Role } from '#models/user'

/**
 * What an administrator says of an account; what is undefined stays as it is.
 */
export type UserChanges = {
  externalId?: string | null
  email?: string | null
  emailVerified?: boolean
  fullName?: string | null
  /** In the clear; it is hashed here. */
  password?: string
  role?: Role
  sessionLimit?: number | null
  disabled?: boolean
}

/**
 * Makes an account, or changes the one that has the external id already, in one commit. `made` says
 * which. Throws `E_USER_EXISTS` where another account holds the e-mail or, without an external id, this
 * one is there, and what `changeUser` throws.
 */
export async function saveUser(
  given: UserChanges,
  actor: Actor
): Promise<{ user: User; made: boolean }> {
  const hashed = await prepare(given, given.email ?? null, actor)
  const { disabled, password, ...account } = given
  const disabledAt = disabled ? DateTime.fromJSDate(clock.now()) : null
  const fresh: GivenUser = { ...account, password: hashed, disabledAt }
  return findOrCreate<{ user: User; made: boolean }>(
    fresh,
    { create: true, actor },
    async (found) => {
      if ((given.externalId ?? null) === null) throw new E_USER_EXISTS()
      const isStill = (now: User) => isSame(found, now)
      const user = await changeUnderLock(found.id, given, { hashed, actor, isStill })
      return user && { user, made: false }
    },
    async (_, user) => ({ user, made: true })
  )
}

/**
 * Changes an account in one commit. Returns it as it stands then; null when it is gone.
 *
 * Throws `E_FORBIDDEN` for the last administrator, and where a service client would touch an admin or
 * set a password or a role; `E_USER_EXISTS` where another account holds the e-mail or the external id;
 * `E_VALIDATION_ERROR` for a guessable password. Then nothing has changed.
 */
export async function changeUser(
  found: User,
  changes: UserChanges,
  actor: Actor
): Promise<User | null> {
  keepFromAdmins(found, actor)
  const hashed = await prepare(changes, changes.email ?? found.email, actor)
  return changeUnderLock(found.id, changes, { hashed, actor })
}

/**
 * Refuses what the actor may not say, before any work. Returns the hash of a new password.
 */
async function prepare({ password, role }: UserChanges, email: string | null, actor: Actor) {
  if (isServiceClient(actor) && (password !== undefined || role !== undefined)) {
    throw forbidden('A service client sets no password and no role.')
  }
  if (password === undefined) return undefined
  await refuseGuessable(password, email)
  return hashPassword(password)
}

/**
 * Null where the account is gone, or is another by now than the one that was meant (`isStill`).
 */
async function changeUnderLock(
  userId: number,
  changes: UserChanges,
  { hashed, actor, isStill }: { hashed?: string; actor: Actor; isStill?: (now: User) => boolean }
): Promise<User | null> {
  const changed = await withManagedUser(userId, actor, async (trx, user) => {
    if (isStill && !isStill(user)) return null
    const { externalId, fullName } = changes
    await writeFields(trx, user, { externalId, fullName }, actor)
    await writeAddress(trx, user, changes, actor)
    if (changes.role !== undefined) await writeRole(trx, user, changes.role, { actor })
    if (changes.sessionLimit !== undefined)
      await writeSessionLimit(trx, user, changes.sessionLimit, actor)
    if (hashed !== undefined) await writePassword(trx, user, hashed, actor)
    if (changes.disabled === false) await writeEnabled(trx, user, { actor })
    const ended = changes.disabled ? await writeDisabled(trx, user, { actor }) : null
    return { user, watermark: ended?.watermark }
  }).catch((error) => {
    throw isUniqueViolation(error) ? new E_USER_EXISTS() : error
  })
  if (changed?.watermark) backfillInBackground()
  return changed && changed.user
}

/**
 * An account that awaits its verification may be a stranger's who signed up with this address: who
 * says that it is verified means the person of the address, so that password goes.
 */
async function writeAddress(
  trx: TransactionClientContract,
  user: User,
  { email = user.email, emailVerified }: UserChanges,
  actor: Actor
) {
  if (emailVerified && awaitsVerification(user)) await forgetSignUp(trx, user)
  if (email !== user.email) {
    await setEmail(trx, user, { email, verified: email !== null && emailVerified === true, actor })
  } else if (emailVerified === true && email !== null) {
    await verifyEmail(trx, user, actor)
  } else if (emailVerified === false && user.isEmailVerified) {
    user.emailVerifiedAt = null
    await user.useTransaction(trx).save()
    /** What services know of the address is wrong from now on. */
    const data = { verified: false, note: null }
    await appendEvents(trx, [{ type: 'email.changed', userId: user.id, actor, data }])
  }
}

async function writePassword(
  trx: TransactionClientContract,
  user: User,
  hashed: string,
  actor: Actor
) {
  await setPassword(trx, user, hashed, { actor, means: 'reset' })
  await endSessions(trx, await writeDueEnds(trx, user.id), { reason: 'password_reset', actor })
}
