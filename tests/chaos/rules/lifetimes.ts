import { BY_TIME, tellings, type Call, type Lifetimes } from '../history.js'
import type { Knowledge, KnownSession } from '../knowledge.js'
import { lastCertainUse } from '../uses.js'
import type { Violation } from '../checker.js'

/**
 * Sessions end by time, when they are due: none is accepted that was unused for longer than the
 * idle timeout, or that is older than the absolute lifetime (P1); none is said to have ended by time
 * that was used in time, or that something else had ended before (P5).
 */
export function lifetimes(known: Knowledge): Violation[] {
  const { lifetimes: lives } = known.conditions
  if (!lives) return []
  return [...known.sessions.values()].flatMap((session) => [
    ...overdue(session, lives),
    ...endedTooEarly(session, known),
  ])
}

const inSeconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`

function overdue({ id, opening, alive, uses }: KnownSession, lives: Lifetimes): Violation[] {
  const { idle, max, tolerance } = lives
  const violations: Violation[] = []
  let next = 0
  let last = uses[0]
  for (const call of alive) {
    while (next < uses.length && uses[next].call.start < call.start) {
      if (uses[next].until > last.until) last = uses[next]
      next++
    }
    const says = `the session ${id} was alive in "${call.op}"`
    const unused = call.start - last.until
    const age = call.start - opening.end
    if (unused > idle + tolerance) {
      violations.push({
        promise: 'P1',
        says: `${says} ${inSeconds(unused)} after its last use`,
        calls: last.call === opening ? [opening, call] : [opening, last.call, call],
      })
    }
    if (age > max + tolerance) {
      const calls = [opening, call]
      violations.push({ promise: 'P1', says: `${says} at the age of ${inSeconds(age)}`, calls })
    }
  }
  return violations
}

/**
 * Judges by the first answer that says it, and by the time of the end that any answer says.
 */
function endedTooEarly(session: KnownSession, { conditions }: Knowledge): Violation[] {
  const { idle, max, tolerance } = conditions.lifetimes!
  const { id, opening, told, deadBy } = session
  const first = told.find(({ telling }) => BY_TIME.includes(telling.reason))
  if (!first) return []

  const { call, telling } = first
  const isIdle = telling.reason === 'idle'
  const dueAfter = (before: number) => {
    const use = isIdle ? lastCertainUse(session, before, conditions) : null
    const since = use ?? { call: opening, at: opening.start }
    return { since, due: since.at + (isIdle ? idle : max) - tolerance }
  }
  const shown = (...calls: Call[]) => [...new Set([opening, ...calls])]

  const { since, due } = dueAfter(call.start)
  const saidToEnd = telling.endedAt ? Date.parse(telling.endedAt) - (conditions.epoch ?? 0) : null
  const ended = Math.min(call.end, saidToEnd ?? Infinity)
  if (ended < due) {
    const after = `${inSeconds(ended - since.at)} after its ${isIdle ? 'last use' : 'opening'}`
    const says = `the session ${id} ended (${telling.reason}) ${after}`
    return [{ promise: 'P5', says, calls: shown(since.call, call) }]
  }
  if (!deadBy || deadBy.call === call || tellsOf(deadBy.call, id)) return []
  const before = dueAfter(deadBy.call.start)
  if (deadBy.at >= before.due) return []
  const says = `the session ${id} ended (${telling.reason}) though "${deadBy.call.op}" had ended it ${inSeconds(deadBy.at - before.since.at)} after its ${isIdle ? 'last use' : 'opening'}`
  return [{ promise: 'P5', says, calls: shown(before.since.call, deadBy.call, call) }]
}

function tellsOf(call: Call, id: string): boolean {
  return tellings(call).some(({ session }) => session === id)
}
