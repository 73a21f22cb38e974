import { randomUUID } from 'node:crypto'
import logger from '@adonisjs/core/services/logger'
import db from '@adonisjs/lucid/services/db'
import { DateTime } from 'luxon'
import { Webhook } from 'standardwebhooks'
import {
  readAccount,
  refuseClosed,
  verifyCredentials,
  type PasswordSignIn,
} from '#app/accounts/credentials'
import { leftAddresses } from '#app/accounts/left_addresses'
import { writeUser } from '#app/accounts/sign_up'
import { Semaphore } from '#app/background/semaphore'
import clock from '#app/clock'
import { isUniqueViolation } from '#app/database/sql'
import { inTransaction } from '#app/database/transaction'
import { postJson, type Answer } from '#app/http/outgoing'
import { hashPassword } from '#app/passwords/passwords'
import { withUserLock } from '#app/sessions/user_lock'
import accountsConfig from '#config/accounts'
import legacyLoginConfig from '#config/legacy_login'
import { E_INVALID_CREDENTIALS, E_UNAVAILABLE } from '#exceptions/errors'
import { normalizeEmail } from '#models/email_address'
import { EXTERNAL_ID } from '#models/user'
import type User from '#models/user'
import env from '#start/env'

const TIMEOUT_MS = 5_000

/**
 * How many questions are under way at once, and how many of one network: what an old login can bear.
 */
const questions = new Semaphore({ total: 16, perNetwork: 4 }, () => env.get('HASH_QUEUE_LIMIT'))

/**
 * What the old login says of a user whose password it accepts.
 */
type OldAccount = { externalId: string | null; fullName: string | null; emailVerified: boolean }

/**
 * Whether the old login has to say if a password is right: until its day, for an address that no account
 * here has or had, and for a user who was imported without a hash.
 */
export async function asksOldLogin({ email, account }: PasswordSignIn): Promise<boolean> {
  const { url, until } = legacyLoginConfig
  if (!url || !until || clock.now() >= until) return false
  if (account) return lacksHash(account)
  const left = await leftAddresses(db.connection('lookup'), [email])
  return left.size === 0
}

function lacksHash(account: User): boolean {
  return account.importedAt !== null && !account.password
}

/**
 * The user whom the old login knows by this password, which is kept from now on as ours are: a new account,
 * or that of the import. Throws `E_INVALID_CREDENTIALS` where it refuses, or means another user than the
 * one here; `E_UNAVAILABLE` where it gives no clear answer; and what `verifyCredentials` does.
 */
export async function bringFromOldLogin(signIn: PasswordSignIn): Promise<User> {
  const { email, password, account, caller } = signIn
  const old = await questions.run(() => ask(email, password), caller)
  if (!old) throw new E_INVALID_CREDENTIALS()
  const hashed = await hashPassword(password, caller)
  const user = account
    ? await keepPassword(account.id, old, hashed)
    : await createAccount(email, old, hashed)
  /** Somebody was faster: with the same password, or with one of their own. */
  if (!user) return verifyCredentials(await readAccount(email), password, caller)
  refuseClosed(user)
  return user
}

async function ask(email: string, password: string): Promise<OldAccount | null> {
  const { url, secret } = legacyLoginConfig
  const id = `msg_${randomUUID()}`
  const body = JSON.stringify({ email, password })
  const at = clock.now()
  const answer = await postJson(url!, body, {
    timeoutMs: TIMEOUT_MS,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret!).sign(id, at, body),
    },
  }).catch((error: { code?: string; name?: string }) => {
    logger.warn(
      { code: error.code ?? error.name },
      'The old login (LEGACY_LOGIN_URL) did not answer.'
    )
    throw new E_UNAVAILABLE({ retryAfter: 5 })
  })
  if (answer.status === 401) return null
  const old = answer.status === 200 ? readOldAccount(answer) : null
  if (old) return old
  logger.warn(
    { status: answer.status },
    'The old login (LEGACY_LOGIN_URL) answered neither 401 nor 200 with { externalId?, fullName?, emailVerified? }.'
  )
  throw new E_UNAVAILABLE({ retryAfter: 5 })
}

/**
 * What an answer says; null when it is not what was agreed on.
 */
function readOldAccount({ body }: Answer): OldAccount | null {
  let said: unknown
  try {
    said = JSON.parse(body)
  } catch {
    return null
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return null
  const {
    externalId: id = null,
    fullName = null,
    emailVerified = null,
  } = said as Record<string, unknown>
  const externalId = Number.isSafeInteger(id) ? String(id) : id
  if (externalId !== null && !(typeof externalId === 'string' && EXTERNAL_ID.test(externalId)))
    return null
  if (fullName !== null && !(typeof fullName === 'string' && fullName.length <= 255)) return null
  if (fullName?.includes('\0')) return null
  if (emailVerified !== null && typeof emailVerified !== 'boolean') return null
  return { externalId, fullName, emailVerified: emailVerified === true }
}

/**
 * Null when the account has a password by now.
 */
function keepPassword(userId: number, old: OldAccount, hashed: string): Promise<User | null> {
  return withUserLock(userId, async (trx, user) => {
    if (!user) throw new E_INVALID_CREDENTIALS()
    if (!lacksHash(user)) return null
    user.externalId ??= old.externalId
    if (old.externalId !== null && user.externalId !== old.externalId) {
      logger.warn({ userId }, 'The old login means another user: the externalId differs.')
      throw new E_INVALID_CREDENTIALS()
    }
    user.password = hashed
    user.fullName ??= old.fullName
    if (old.emailVerified) user.emailVerifiedAt ??= DateTime.fromJSDate(clock.now())
    await user.useTransaction(trx).save()
    return user
  }).catch(refuseTaken)
}

/**
 * Null when the address has an account by now.
 */
async function createAccount(email: string, old: OldAccount, hashed: string): Promise<User | null> {
  const { emailVerified, ...known } = old
  const made = inTransaction((trx) =>
    writeUser(
      trx,
      {
        ...known,
        email: normalizeEmail(email)!,
        password: hashed,
        emailVerifiedAt: emailVerified ? DateTime.fromJSDate(clock.now()) : null,
        mustVerifyEmail: accountsConfig.verifiesEmail && !emailVerified,
      },
      'system'
    )
  )
  return made.catch(async (error) => {
    if (!isUniqueViolation(error)) throw error
    if (await readAccount(email)) return null
    return refuseTaken(error)
  })
}

/**
 * Another account has the external id: the old system says that it is the same user under another address.
 */
function refuseTaken(error: Error): never {
  if (!isUniqueViolation(error)) throw error
  logger.warn('The old login means a user who has another address here: nobody was signed in.')
  throw new E_INVALID_CREDENTIALS()
}
