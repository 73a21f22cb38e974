import { randomUUID } from 'node:crypto'
import logger from '@adonisjs/core/services/logger'
import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import { BY_EMAIL, byEmail } from '#models/email_address'
import { BackgroundQueue } from '#app/background/background_queue'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import { aliveSql } from '#app/sessions/liveness'
import { withUserLock } from '#app/sessions/user_lock'
import { hashToken } from '#app/tokens/token'
import { E_UNAVAILABLE, E_VALIDATION_ERROR } from '#exceptions/errors'
import { tokenOfLink, type MailedLink, type Purpose } from '#mails/link'
import { queueMail, type Letter } from '#mails/outbox'
import type User from '#models/user'

/*
 * Links in mails. Each has a token that works once, and dies with its time, with its user's valid-from
 * (#app/sessions/valid_from), and with the address that it was mailed to. Rows stand in
 * `password_resets`, which is older than the other purposes.
 */

const HOUR = 60 * 60 * 1000

const OF_EMAIL = {
  lifetime: 24 * HOUR,
  refusal: { rule: 'emailToken', message: 'The link is not valid any more.' },
}

/**
 * How long a link lives, in milliseconds, and what whoever uses a dead one is told.
 */
const PURPOSES: Record<Purpose, { lifetime: number; refusal: { rule: string; message: string } }> =
  {
    reset: {
      lifetime: HOUR,
      refusal: { rule: 'resetToken', message: 'The reset link is not valid any more.' },
    },
    verify: OF_EMAIL,
    change: OF_EMAIL,
  }

/**
 * No account is mailed more than one link of a purpose in so long, in milliseconds: whoever asks, its
 * mailbox is not flooded, and it holds few links.
 */
const PAUSE = 60 * 1000

/**
 * Makes a new link of a user, whose token is derived from its id and never stored; null when one of the
 * same purpose was made less than a minute ago. Earlier ones stay valid, or a stranger who asks would
 * spoil the link that its owner is about to follow. For use under the user's lock. With `sessionId` the
 * link ends with that session, which asked for it.
 */
export async function mintLink(
  trx: TransactionClientContract,
  user: Pick<User, 'id' | 'email'>,
  purpose: Purpose,
  { email = user.email, sessionId }: { email?: string | null; sessionId?: string } = {}
): Promise<MailedLink | null> {
  const now = clock.now()
  const recent = await trx
    .from('password_resets')
    .where({ user_id: user.id, purpose })
    .where('created_at', '>', new Date(now.getTime() - PAUSE))
    .select('hash')
    .first()
  if (recent) return null

  const expiresAt = new Date(now.getTime() + PURPOSES[purpose].lifetime)
  const link = { purpose, id: randomUUID(), expiresAt }
  await trx.table('password_resets').insert({
    hash: hashToken(tokenOfLink(link)),
    id: link.id,
    purpose,
    user_id: user.id,
    email,
    session_id: sessionId ?? null,
    created_at: now,
    expires_at: expiresAt,
  })
  return link
}

/**
 * A link that works. `email` is where it was mailed; null for one that an older version made.
 */
export type Link = { userId: number; purpose: Purpose; email: string | null }

/**
 * The link behind a token; null when it is none, spent, of another purpose, past its time, issued
 * before valid-from, of a disabled account, of an address that the account has no more, or asked for by a
 * session that lives no more.
 */
export async function findLink(
  token: string,
  purposes: readonly Purpose[],
  client: QueryClientContract = db.connection()
): Promise<Link | null> {
  const now = clock.now()
  const alive = aliveSql(now)
  const [link] = await rows<Link>(
    client,
    `SELECT link.user_id AS "userId", link.purpose AS purpose, link.email AS email
     FROM password_resets AS link JOIN users ON users.id = link.user_id
     WHERE link.hash = ? AND link.purpose IN (${purposes.map(() => '?').join(', ')})
       AND link.expires_at > ? AND users.disabled_at IS NULL
       AND (link.purpose = 'change' OR link.email IS NULL OR link.email = users.email)
       AND (link.session_id IS NULL OR EXISTS (
         SELECT 1 FROM sessions WHERE sessions.id = link.session_id AND ${alive.sql}
       ))
       AND (users.valid_from IS NULL OR link.created_at >= users.valid_from)
       AND NOT EXISTS (SELECT 1 FROM everyone WHERE everyone.valid_from > link.created_at)`,
    [hashToken(token), ...purposes, now, ...alive.bindings]
  )
  return link ?? null
}

/**
 * Spends a link and does what it is for, in one transaction under its user's lock: of all who use one
 * token, at whatever moment, one succeeds. Throws `E_VALIDATION_ERROR` when it does not work, the same
 * for every reason, and what `work` throws; then nothing has changed.
 */
export async function useLink<Result>(
  token: string,
  purposes: readonly Purpose[],
  work: (trx: TransactionClientContract, user: User, link: Link) => Promise<Result>
): Promise<Result> {
  const { userId } = (await findLink(token, purposes)) ?? invalidLink(purposes[0])
  return withUserLock(userId, async (trx, user) => {
    const link = await findLink(token, purposes, trx)
    if (!user || !link) return invalidLink(purposes[0])
    await trx.from('password_resets').where('hash', hashToken(token)).delete()
    return work(trx, user, link)
  })
}

/**
 * Throws what whoever uses a link that does not work is told.
 */
export function invalidLink(purpose: Purpose): never {
  const { rule, message } = PURPOSES[purpose].refusal
  throw new E_VALIDATION_ERROR([
    { field: 'token', rule, message: `${message} Please ask for a new one.` },
  ])
}

/**
 * Links to be made and mailed.
 */
export const linkRequests = new BackgroundQueue({ atOnce: 1, waiting: 1_000 }, (error) => {
  const { code, name } = (error ?? {}) as { code?: string; name?: string }
  logger.warn({ code, name }, 'A link could not be made.')
})

/**
 * Makes the link and what the mail with it tells, under the user's lock; null when none is due.
 */
export type LinkWriter = (trx: TransactionClientContract, user: User) => Promise<Letter | null>

/**
 * No user has this id. An unknown e-mail goes the same way with it, so that the load of one
 * request tells the next one nothing.
 */
const NOBODY = 0

/**
 * Takes a request for a link, from anybody. One read, the same for known and unknown e-mails, shows
 * that the database answers; the rest happens behind the answer, whose time so tells nothing.
 *
 * Throws `E_UNAVAILABLE` when too many wait, and whatever the database throws.
 */
export async function requestLink(email: string, write: LinkWriter): Promise<void> {
  if (linkRequests.isFull) throw new E_UNAVAILABLE()
  const known = await rows<{ id: number }>(
    db.connection('lookup'),
    `SELECT id FROM users WHERE ${BY_EMAIL}`,
    byEmail(email) ?? ['', '', '']
  )
  const taken = linkRequests.add(() => mailLink(known[0]?.id ?? NOBODY, write))
  if (!taken) throw new E_UNAVAILABLE()
}

/**
 * Makes and mails a link, if one is due. A disabled account gets none.
 */
export async function mailLink(userId: number, write: LinkWriter): Promise<void> {
  await withUserLock(userId, async (trx, user) => {
    const letter = user && !user.isDisabled ? await write(trx, user) : null
    if (letter) await queueMail(trx, { userId }, letter)
  })
}
