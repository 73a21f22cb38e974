import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Cutoff } from '#sessions/cutoffs'
import { endSessions } from '#sessions/end_sessions'
import type { StoredSession } from '#sessions/session'
import { lapseOf } from '#sessions/standing'

/**
 * Writes the end of sessions that a cut-off covers, as of its moment, by its actor. One that time
 * had ended before that moment ends with its own reason. For use under the lock of their users.
 * Returns how many the cut-off ended.
 */
export async function endCutOff(
  trx: TransactionClientContract,
  sessions: StoredSession[],
  { reason, at, actor, note }: Cutoff
): Promise<number> {
  const cut: StoredSession[] = []
  for (const session of sessions) {
    const lapse = lapseOf(session, 0, at)
    if (!lapse?.at) cut.push(session)
    else await endSessions(trx, [session], { reason: lapse.reason, actor: 'system', at: lapse.at })
  }
  await endSessions(trx, cut, { reason, at, actor, note })
  return cut.length
}
