import { tellings, type Call } from '../history.js'
import type { Knowledge } from '../knowledge.js'
import type { Violation } from '../checker.js'

/**
 * P1, P3 and P6: no token of an ended session succeeds in a call that began after the answer that
 * ended it, or that said that it had ended.
 */
export function deadSessions({ sessions }: Knowledge): Violation[] {
  const violations: Violation[] = []
  for (const { id, opening, deadBy, alive } of sessions.values()) {
    if (!deadBy) continue
    for (const call of alive) {
      if (call.start <= deadBy.at) continue
      violations.push({
        promise: promiseOf(call, deadBy.call, id),
        says: `the ended session ${id} was alive in "${call.op}"`,
        calls: [opening, deadBy.call, call],
      })
    }
  }
  return violations
}

function promiseOf(call: Call, ending: Call, id: string): string {
  const isTold = tellings(ending).some(({ session }) => session === id)
  if (ending.op !== 'login' && (isTold || ending.active === false)) return 'P6'
  return call.op === 'refresh' ? 'P3' : 'P1'
}
