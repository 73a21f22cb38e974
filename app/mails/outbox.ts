import { randomUUID } from 'node:crypto'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { rows, type Statement } from '#app/database/sql'
import { afterCommit } from '#app/database/transaction'
import { sendsMail } from '#config/mail'
import type { MailedLink } from '#mails/link'
import { toDate, type StoredInstant } from '#models/instant'
import type { Device } from '#app/devices/device'

type Contents = {
  password_reset: { link: MailedLink }
  sign_up_again: { link: MailedLink; isDisputed: boolean }
  confirm_email: { link: MailedLink }
  email_change: { at: Date }
  new_device: { sessionId: string }
  token_reuse: { device: Pick<Device, 'name' | 'platform'>; at: Date }
  password_changed: { at: Date }
  api_key_created: { name: string; at: Date }
  support_session: { at: Date; until: string }
}

export type MailKind = keyof Contents

/**
 * What a mail tells. It waits in the database, so it holds no secret; its text is written when it is
 * sent (#mails/write_mail).
 */
export type Letter = { [Kind in MailKind]: { kind: Kind } & Contents[Kind] }[MailKind]

/**
 * A mail that this node has taken to send.
 */
export type TakenMail = {
  id: string
  userId: number
  email: string
  kind: MailKind
  /** A letter as it stands in JSON: instants are text. */
  data: Record<string, any>
  /** How often it was taken, this time included. */
  attempts: number
  expiresAt: Date
}

/**
 * How long a mail is tried, unless its link ends sooner, in milliseconds.
 */
const TRIED_FOR = 3 * 24 * 60 * 60 * 1000

/**
 * How many mails of one kind may wait for one account: whatever happens to it while the mail server is
 * away, it takes so many rows.
 */
const MOST_WAITING = 10

/**
 * How long a mail that a node has taken is left to it, in milliseconds.
 */
export const LEASE = 2 * 60 * 1000

const listeners = new Set<() => void>()

/**
 * Calls `listener` after each commit of this process with a mail in it.
 */
export function onQueued(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/**
 * Has a user mailed: if the transaction commits, the mail is sent, whatever becomes of this process.
 * It goes to the user's address of now unless `email` names another. `onlyIf` is a condition on
 * `users`. Nothing is written where no mail is sent, or for a user without an address.
 */
export async function queueMail(
  trx: TransactionClientContract,
  to: { userId: number; email?: string },
  { kind, ...data }: Letter,
  onlyIf: Statement = { sql: '1 = 1', bindings: [] }
): Promise<void> {
  if (!sendsMail) return
  const now = clock.now()
  const expiresAt = 'link' in data ? data.link.expiresAt : new Date(now.getTime() + TRIED_FOR)
  const email = to.email ?? null
  await rows(
    trx,
    `INSERT INTO outgoing_mails (id, user_id, email, kind, data, created_at, due_at, expires_at)
     SELECT CAST(? AS ${trx.dialect.name === 'postgres' ? 'uuid' : 'text'}), users.id,
       COALESCE(CAST(? AS varchar(320)), users.email), CAST(? AS varchar(32)), CAST(? AS text),
       CAST(? AS timestamptz), CAST(? AS timestamptz), CAST(? AS timestamptz)
     FROM users
     WHERE users.id = ? AND COALESCE(CAST(? AS varchar(320)), users.email) IS NOT NULL
       AND (
         SELECT count(*) FROM outgoing_mails AS waiting
         WHERE waiting.user_id = users.id AND waiting.kind = ? AND waiting.expires_at > ?
       ) < ${MOST_WAITING}
       AND ${onlyIf.sql}`,
    [
      ...[randomUUID(), email, kind, JSON.stringify(data), now, now, expiresAt],
      ...[to.userId, email, kind, now, ...onlyIf.bindings],
    ]
  )
  afterCommit(trx, () => {
    for (const listener of listeners) listener()
  })
}

type MailRow = {
  id: string
  user_id: number
  email: string
  kind: MailKind
  data: string
  attempts: number
  expires_at: StoredInstant
}

/**
 * Takes the mail that has been due for longest, which no other node takes then for as long as `LEASE`;
 * null when none is due.
 */
export async function takeMail(): Promise<TakenMail | null> {
  const client = db.connection()
  const now = clock.now()
  const due = 'SELECT id FROM outgoing_mails WHERE due_at <= ? ORDER BY due_at LIMIT 1'
  const isPostgres = client.dialect.name === 'postgres'
  /** On SQLite an UPDATE takes the write lock, also when there is nothing to do. */
  if (!isPostgres) {
    const found = await rows(client, due, [now])
    if (found.length === 0) return null
  }
  const [row] = await rows<MailRow>(
    client,
    `UPDATE outgoing_mails SET due_at = ?, attempts = attempts + 1
     WHERE id = (${due} ${isPostgres ? 'FOR UPDATE SKIP LOCKED' : ''}) RETURNING *`,
    [new Date(now.getTime() + LEASE), now]
  )
  if (!row) return null
  return {
    id: row.id,
    userId: row.user_id,
    email: row.email,
    kind: row.kind,
    data: JSON.parse(row.data),
    attempts: row.attempts,
    expiresAt: toDate(row.expires_at),
  }
}

/**
 * Takes a mail out: it was sent, or is not to be sent any more.
 */
export async function removeMail({ id }: Pick<TakenMail, 'id'>): Promise<void> {
  await rows(db.connection(), 'DELETE FROM outgoing_mails WHERE id = ?', [id])
}

/**
 * Puts a mail back into the queue: any node may take it again after `inMs` milliseconds.
 */
export async function returnMail({ id }: Pick<TakenMail, 'id'>, inMs: number): Promise<void> {
  const dueAt = new Date(clock.millis() + inMs)
  await rows(db.connection(), 'UPDATE outgoing_mails SET due_at = ? WHERE id = ?', [dueAt, id])
}
