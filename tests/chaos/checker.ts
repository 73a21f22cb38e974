import type { Call } from './history.js'

/**
 * A promise that the history shows broken, with the shortest part of it that shows it.
 */
export type Violation = { promise: string; says: string; calls: Call[] }

/**
 * A session as the history knows it. `deadBy`: it had ended when this call was answered, for that
 * answer says so or means it.
 */
type KnownSession = {
  id: string
  opening: Call
  deadBy?: { at: number; call: Call }
  lastSuccess?: Call
}

const ENDS_OTHERS = ['logout-others', 'password']
const ENDS_ALL = ['logout-all', 'force-logout', 'disable']

/**
 * Holds a history of calls against the promises, as a linearizability checker does: whatever an
 * answer says had happened when it came, and no call that began later may see it otherwise. A call
 * without an answer may have happened at any time after it began, or never.
 */
export function check(history: Call[], limit: number): Violation[] {
  const calls = [...history].sort((one, other) => one.start - other.start)
  const sessions = findSessions(calls)
  for (const call of calls) markEnds(call, sessions, limit)

  return [
    ...faultyAnswers(calls, sessions),
    ...livingDead(calls, sessions),
    ...spentTokens(calls),
    ...overLimit(sessions, limit),
    ...endedByNobody(calls, sessions),
  ]
}

function findSessions(calls: Call[]): Map<string, KnownSession> {
  const sessions = new Map<string, KnownSession>()
  for (const call of calls) {
    if (call.op === 'login' && call.opened) {
      sessions.set(call.opened.session, { id: call.opened.session, opening: call })
    }
  }
  return sessions
}

/**
 * Notes which sessions were certainly dead when a call was answered.
 */
function markEnds(call: Call, sessions: Map<string, KnownSession>, limit: number) {
  if (call.end === null) return
  const dead = (session: KnownSession | undefined) => {
    if (session && (!session.deadBy || call.end! < session.deadBy.at)) {
      session.deadBy = { at: call.end!, call }
    }
  }
  if (call.code === 'E_SESSION_ENDED' && call.session) dead(sessions.get(call.session))
  if (!isSuccess(call)) return

  for (const id of call.ended ?? []) dead(sessions.get(id))
  if (call.op === 'logout' && call.session) dead(sessions.get(call.session))

  const evictsAll = call.op === 'login' && limit === 1
  if (!evictsAll && !ENDS_OTHERS.includes(call.op) && !ENDS_ALL.includes(call.op)) return
  for (const session of sessions.values()) {
    const { opening } = session
    const openedBefore = opening !== call && opening.end !== null && opening.end <= call.start
    if (opening.user !== call.user || !openedBefore) continue
    if (session.id === call.session && ENDS_OTHERS.includes(call.op)) continue
    dead(session)
  }
}

/**
 * P4: during faults there are 503s and cut connections, but no fault of the service's own, and no
 * 401 that would make a client throw away a token that was once valid.
 */
function faultyAnswers(calls: Call[], sessions: Map<string, KnownSession>): Violation[] {
  return calls
    .filter(
      (call) =>
        (call.status !== null && call.status >= 500 && call.status !== 503) ||
        (call.code === 'E_UNAUTHORIZED_ACCESS' && sessions.has(call.session ?? ''))
    )
    .map((call) => ({
      promise: 'P4',
      says: `an answer ${call.status} ${call.code ?? ''} that no fault explains`,
      calls: [call],
    }))
}

/**
 * P1, P3, P6: no token of an ended session succeeds in a call that began after the answer that
 * ended it.
 */
function livingDead(calls: Call[], sessions: Map<string, KnownSession>): Violation[] {
  const violations: Violation[] = []
  for (const call of calls) {
    const session = sessions.get(call.session ?? '')
    if (!session || !isSuccess(call)) continue
    session.lastSuccess = call
    if (session.deadBy && call.start > session.deadBy.at) {
      violations.push({
        promise: 'P1',
        says: `a token of the ended session ${session.id} was accepted`,
        calls: [session.opening, session.deadBy.call, call],
      })
    }
  }
  return violations
}

/**
 * P3: with the answer that replaced it, an access token is dead.
 */
function spentTokens(calls: Call[]): Violation[] {
  const violations: Violation[] = []
  const replacedBy = new Map<string, Call>()
  const current = new Map<string, string>()
  for (const call of [...calls].sort((one, other) => (one.end ?? 0) - (other.end ?? 0))) {
    if (!call.opened || call.end === null) continue
    const previous = current.get(call.opened.session)
    if (previous && previous !== call.opened.access && !replacedBy.has(previous)) {
      replacedBy.set(previous, call)
    }
    current.set(call.opened.session, call.opened.access)
  }
  for (const call of calls) {
    const replaced = call.op === 'refresh' ? undefined : replacedBy.get(call.token ?? '')
    if (replaced && isSuccess(call) && call.start > replaced.end!) {
      violations.push({
        promise: 'P3',
        says: 'an access token was accepted after a newer one took its place',
        calls: [replaced, call],
      })
    }
  }
  return violations
}

/**
 * P2: no more sessions of a user than the limit were certainly alive at one moment. A session is
 * certainly alive from the answer that opened it to the last call that began and succeeded.
 */
function overLimit(sessions: Map<string, KnownSession>, limit: number): Violation[] {
  const violations: Violation[] = []
  const alive = [...sessions.values()].filter(
    ({ opening, lastSuccess }) => lastSuccess && lastSuccess.start > opening.end!
  )
  for (const one of alive) {
    const moment = one.opening.end!
    const together = alive.filter(
      ({ opening, lastSuccess }) =>
        opening.user === one.opening.user && opening.end! <= moment && lastSuccess!.start > moment
    )
    if (together.length > limit) {
      violations.push({
        promise: 'P2',
        says: `${together.length} sessions of ${one.opening.user} were alive at once`,
        calls: together.flatMap(({ opening, lastSuccess }) => [opening, lastSuccess!]),
      })
    }
  }
  return violations
}

/**
 * P5: a session ends for a reason. Whoever learns that it has ended must find a call that can have
 * ended it, begun before the answer came.
 */
function endedByNobody(calls: Call[], sessions: Map<string, KnownSession>): Violation[] {
  const violations: Violation[] = []
  const enders = Map.groupBy(
    calls.filter(({ op }) => !['check', 'enable'].includes(op)),
    ({ user }) => user
  )
  for (const { id, opening, deadBy } of sessions.values()) {
    if (deadBy?.call.code !== 'E_SESSION_ENDED') continue
    const possible = (enders.get(opening.user) ?? []).some(
      (call) =>
        call !== opening &&
        call.start < deadBy.at &&
        (call.end === null || call.end > opening.start) &&
        canEnd(call, id)
    )
    if (!possible) {
      violations.push({
        promise: 'P5',
        says: `the session ${id} ended (${deadBy.call.reason}) though nobody ended it`,
        calls: [opening, deadBy.call],
      })
    }
  }
  return violations
}

function canEnd(call: Call, session: string): boolean {
  if (call.op === 'logout' || call.op === 'refresh') return call.session === session
  if (ENDS_OTHERS.includes(call.op)) return call.session !== session
  return call.opened?.session !== session
}

function isSuccess({ status }: Call): boolean {
  return status !== null && status >= 200 && status < 300
}
