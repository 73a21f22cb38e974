import { idleTimeout } from '#config/sessions'
import type { StoredSession } from '#app/sessions/session'

/**
 * A session that has no end written yet is alive, unless time or a cut-off has ended it: then it
 * is refused from that moment on, and the next sign-in or prune writes its end. `at` is null for
 * a cut-off: the cut-off knows (#app/sessions/watermark).
 */
export type Lapse = { reason: 'expired' | 'idle'; at: Date } | { reason: 'forced'; at: null }

/**
 * Why a session without a written end is dead nevertheless; null while it lives. `watermarkSeq` is the
 * highest cut-off that covers its user. What ended it first is why, so that the reason is the same
 * whenever it is asked for.
 */
export function lapseOf(
  session: Pick<StoredSession, 'seq' | 'expiresAt' | 'lastSeenAt'>,
  watermarkSeq: number,
  now: Date
): Lapse | null {
  if (session.seq <= watermarkSeq) return { reason: 'forced', at: null }
  const idleAt = new Date(session.lastSeenAt.getTime() + idleTimeout())
  if (now >= idleAt && idleAt < session.expiresAt) return { reason: 'idle', at: idleAt }
  if (now >= session.expiresAt) return { reason: 'expired', at: session.expiresAt }
  return null
}
