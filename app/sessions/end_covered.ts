import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Watermark } from '#app/sessions/watermark'
import { endSessions } from '#app/sessions/end'
import type { StoredSession } from '#app/sessions/session'
import { lapseOf } from '#app/sessions/liveness'

/**
 * Writes the end of sessions that a cut-off covers, as of its moment, by its actor. One that time
 * had ended before that moment ends with its own reason. For use under the lock of their users.
 * Returns how many the cut-off ended.
 */
export async function endCovered(
  trx: TransactionClientContract,
  sessions: StoredSession[],
  { reason, at, actor, note }: Watermark
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
