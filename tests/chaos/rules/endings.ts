import { isOpen, mayHaveHappened, succeeded, type Call, type Operation } from '../history.js'
import type { Knowledge, KnownSession } from '../knowledge.js'
import type { Violation } from '../checker.js'

const ASKS_ONLY: Operation[] = ['check', 'list', 'forward-auth', 'introspect', 'stream', 'enable']

/**
 * P5, and P2's "never zero": a session ends for a reason and by somebody. Whoever learns that it
 * has ended must find a call that can have ended it for that reason, begun before the answer came,
 * and newcomers do not end each other in a circle.
 */
export function endings(known: Knowledge): Violation[] {
  const enders = known.calls.filter((call) => !ASKS_ONLY.includes(call.op) && mayHaveHappened(call))
  const byUser = Map.groupBy(enders, ({ user }) => user)
  const everyone = byUser.get('*') ?? []
  const violations: Violation[] = []
  for (const session of known.sessions.values()) {
    const { id, opening, deadBy } = session
    const told = deadBy?.call
    if (!told?.reason) continue
    const candidates = [...(byUser.get(opening.user) ?? []), ...everyone]
    if (candidates.some((call) => call !== opening && canHaveEnded(call, session, told))) continue
    violations.push({
      promise: 'P5',
      says: `the session ${id} ended (${told.reason}) though nobody ended it`,
      calls: [opening, told],
    })
  }
  return [...violations, ...manyReasons(known), ...circles(known)]
}

/**
 * Whoever asks again why a session has ended is told the same.
 */
function manyReasons({ calls }: Knowledge): Violation[] {
  const violations: Violation[] = []
  const told = new Map<string, Call>()
  for (const call of calls) {
    if (!call.reason || !call.session) continue
    const first = told.get(call.session)
    if (!first) told.set(call.session, call)
    else if (first.reason !== call.reason) {
      const says = `the session ${call.session} ended for two reasons`
      violations.push({ promise: 'P5', says, calls: [first, call] })
    }
  }
  return violations
}

function canHaveEnded(call: Call, { id, opening }: KnownSession, told: Call): boolean {
  if (call.start > told.end! || (!isOpen(call) && call.end! < opening.start)) return false
  switch (told.reason) {
    case 'superseded':
      return call.op === 'login' && call.opened?.session !== id
    case 'replaced':
      return call.op === 'login' && call.device !== undefined && call.device === opening.device
    case 'logged_out':
      return call.session === id && ['logout', 'logout-all', 'end-session'].includes(call.op)
    case 'logged_out_elsewhere':
      return (
        call.session !== id &&
        (['logout-others', 'logout-all'].includes(call.op) ||
          (call.op === 'end-session' && call.target === id))
      )
    case 'password_changed':
      return call.op === 'password' && call.session !== id
    case 'forced':
      return ['force-logout', 'force-everyone'].includes(call.op)
    case 'account_disabled':
      return call.op === 'disable'
    case 'token_reuse':
      return call.op === 'refresh' && call.session === id
    default:
      return false
  }
}

/**
 * What the answers of logins say they ended: each session by one newcomer at most, opened before
 * that one, and never in a circle.
 */
function circles({ calls, sessions }: Knowledge): Violation[] {
  const violations: Violation[] = []
  const endedBy = new Map<string, Call>()
  for (const call of calls) {
    if (call.op !== 'login' || !succeeded(call)) continue
    for (const id of call.ended ?? []) {
      const opening = sessions.get(id)?.opening
      const other = endedBy.get(id)
      endedBy.set(id, call)
      const says = other
        ? `two sign-ins ended the session ${id}`
        : `a sign-in ended the session ${id} that was opened after it`
      if (other || (opening && opening.start > call.end!)) {
        violations.push({ promise: 'P2', says, calls: [other ?? opening!, call] })
      }
    }
  }
  for (const session of sessions.values()) {
    const path: Call[] = []
    for (
      let call = endedBy.get(session.id);
      call?.opened && !path.includes(call);
      call = endedBy.get(call.opened.session)
    ) {
      path.push(call)
      if (call.opened.session !== session.id) continue
      violations.push({ promise: 'P2', says: 'sign-ins ended each other in a circle', calls: path })
      break
    }
  }
  return violations
}
