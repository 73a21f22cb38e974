import { randomUUID } from 'node:crypto'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { afterCommit } from '#app/database/transaction'
import type { Actor } from '#app/event_log/actor'
import { endSession, endSessions, writeDueEnds } from '#app/sessions/end'
import { writeSession, type OpenedSession } from '#app/sessions/open'
import { countedSessions, sessionLimitOf } from '#app/sessions/policy'
import { SESSION_COLUMNS, toSession, type Session } from '#app/sessions/session'
import type User from '#models/user'

/*
 * Support sessions: an admin, or a service client, acts as a user for an hour at most. They take no
 * place under the limit (#app/sessions/policy), are never fresh, and change nothing of the account
 * (#middleware/auth_middleware). They end with the rights of whoever holds them.
 */

/**
 * How long a support session may live, in milliseconds.
 */
export const SUPPORT_LIFETIME = { min: 30 * 1000, max: 60 * 60 * 1000 }

/**
 * `note` is the reason, for the log; `duration` is in milliseconds.
 */
export type SupportOrder = {
  actor: Actor
  note: string
  duration: number
  ip: string | null
  userAgent: string | null
}

/**
 * Opens a support session of a user. For use under the user's lock, by who has seen that this user may
 * be supported.
 */
export async function openSupportSession(
  trx: TransactionClientContract,
  user: User,
  { actor, note, duration, ip, userAgent }: SupportOrder
): Promise<OpenedSession> {
  const now = clock.now()
  const live = await writeDueEnds(trx, user.id)
  const session: Session = {
    id: randomUUID(),
    userId: user.id,
    kind: 'support',
    actor,
    device: { id: null, name: 'Support', platform: null },
    ip,
    userAgent,
    keyThumbprint: null,
    createdAt: now,
    authenticatedAt: now,
    lastSeenAt: now,
    expiresAt: new Date(now.getTime() + duration),
  }
  const tokens = await writeSession(trx, session, actor, {
    kind: 'support',
    until: session.expiresAt.toISOString(),
    note,
  })
  const quota = { used: countedSessions(live).length, max: sessionLimitOf(user) }
  return { tokens, session, endedSessions: [], quota }
}

/**
 * Ends the support sessions of a user, for use under the user's lock: nobody acts as an admin.
 */
export async function endSupportSessionsOf(
  trx: TransactionClientContract,
  user: User,
  actor: Actor
): Promise<void> {
  const live = await writeDueEnds(trx, user.id)
  const held = live.filter(({ kind }) => kind === 'support')
  await endSessions(trx, held, { reason: 'forced', actor })
}

/**
 * Ends the support sessions that somebody holds who may hold none any more, once the transaction that
 * says so has committed: two users are never locked at once. Where that was cut off, whoever says so
 * again ends them.
 */
export function endSupportSessionsBy(trx: TransactionClientContract, holder: Actor): void {
  afterCommit(trx, async () => {
    const held = await db
      .from('sessions')
      .where({ kind: 'support', actor: holder })
      .whereNull('ended_at')
      .select(...SESSION_COLUMNS)
    for (const row of held) await endSession(toSession(row), { reason: 'forced', actor: 'system' })
  })
}
