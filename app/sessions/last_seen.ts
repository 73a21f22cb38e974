import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { BatchLoader } from '#app/database/batch_loader'
import { inTransaction } from '#app/database/transaction'
import { inList, rows } from '#app/database/sql'
import { LastUsedBuffer, moveForward, type Use } from '#app/sessions/last_used_buffer'
import { aliveSql } from '#app/sessions/liveness'
import { byLatestActivity, type StoredSession } from '#app/sessions/session'
import { lockUsersOfSessions } from '#app/sessions/user_lock'
import { idleTimeoutOf } from '#config/sessions'

/*
 * When sessions were last seen. The first half of the idle time is forgiving: a use is written
 * behind the request, and a crash that loses it costs no session. A use in the second half is
 * written before the request is answered, so that what was answered is in the database, which alone
 * says whether the session has gone idle.
 *
 * Both writes touch living sessions only, so that nothing late revives what has ended.
 */

/**
 * Notes that a session, as it was just read, is used. False: it did not live any more when the use
 * was to be written, so whoever asked must check again. Throws what the database throws.
 */
export function useSession(session: Pick<StoredSession, 'id' | 'kind' | 'lastSeenAt'>): UseNoted {
  if (clock.millis() - session.lastSeenAt.getTime() < idleTimeoutOf(session) / 2) {
    lastSeen.touch(session.id, session.lastSeenAt)
    return true
  }
  return lateUses.read(session.id).then((written) => written === true)
}

/** A promise only where the use has to be written first. */
export type UseNoted = true | Promise<boolean>

/**
 * Uses that are written behind the requests. Other nodes judge by what is written, so a short idle
 * timeout is written more often.
 */
export const lastSeen = new LastUsedBuffer(
  (uses) => writeUses(db.connection(), uses, { skipLocked: true }),
  (mergeMs) => Math.min(mergeMs, idleTimeoutOf({ kind: 'shared' }) / 4)
)

/**
 * Writes now what this node has seen of sessions and not written yet, and returns them with it,
 * latest activity first: for whoever chooses among them by their last use. For use under the lock of
 * their user.
 */
export async function withWrittenUses(
  trx: QueryClientContract,
  sessions: StoredSession[]
): Promise<StoredSession[]> {
  const seen = sessions.map((session) => ({
    ...session,
    lastSeenAt: lastSeen.latest(session.id, session.lastSeenAt),
  }))
  const uses = seen.filter((session, index) => session.lastSeenAt > sessions[index].lastSeenAt)
  if (uses.length > 0) {
    await writeUses(
      trx,
      uses.map(({ id, lastSeenAt: at }) => ({ id, at }))
    )
  }
  return seen.sort(byLatestActivity)
}

/**
 * Uses late in the idle time: those of one moment go in one statement, which waits for whoever is
 * ending one of the sessions.
 */
const lateUses = new BatchLoader<true>(async (ids) => {
  const written = await inTransaction(async (trx) => {
    const byId = inList(trx, 'id', 'uuid', ids)
    await lockUsersOfSessions(trx, ids)
    const now = clock.now()
    const alive = aliveSql(now)
    return rows<{ id: string }>(
      trx,
      `UPDATE sessions
       SET last_seen_at = CASE WHEN last_seen_at < ? THEN ? ELSE last_seen_at END
       WHERE ${byId.sql} AND ${alive.sql} RETURNING id`,
      [now, now, byId.binding, ...alive.bindings]
    )
  })
  return new Map(written.map(({ id }) => [id, true]))
})

/**
 * Writes uses of living sessions; an older one than stands there changes nothing.
 */
export async function writeUses(
  client: QueryClientContract,
  uses: Use[],
  options: { skipLocked?: boolean } = {}
): Promise<void> {
  const target = { table: 'sessions', id: 'uuid', column: 'last_seen_at' } as const
  await moveForward(client, { ...target, where: aliveSql(clock.now()) }, uses, options)
}
