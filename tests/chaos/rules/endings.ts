import {
  BY_TIME,
  isOpen,
  mayHaveHappened,
  succeeded,
  tellings,
  type Call,
  type Operation,
} from '../history.js'
import type { Knowledge, KnownSession } from '../knowledge.js'
import { timeoutOf } from '../uses.js'
import type { Violation } from '../checker.js'

const ASKS_ONLY: Operation[] = [
  'check',
  'list',
  'forward-auth',
  'introspect',
  'stream',
  'events',
  'feed',
  'enable',
]

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
    const { id, opening, told } = session
    if (told.length === 0) continue
    const { call, telling } = told[0]
    /** Where lifetimes are short, ./lifetimes.ts judges these. */
    if (known.conditions.lifetimes && BY_TIME.includes(telling.reason)) continue
    const possible = [...(byUser.get(opening.user) ?? []), ...everyone].filter(
      (other) => other !== opening && canHaveEnded(other, session, telling.reason, call.end)
    )
    const end = `the session ${id} ended (${telling.reason})`
    if (possible.length === 0) {
      const says = `${end} though nobody ended it`
      violations.push({ promise: 'P5', says, calls: [opening, call] })
    } else if (possible.every(({ start }) => start > timeoutOf(session, known.conditions))) {
      const says = `${end} though time had ended it before`
      violations.push({ promise: 'P5', says, calls: [opening, possible[0], call] })
    }
  }
  return [...violations, ...manyReasons(known), ...circles(known)]
}

/**
 * Whoever asks again why a session has ended, and when, is told the same, wherever they ask.
 */
function manyReasons({ calls }: Knowledge): Violation[] {
  const violations: Violation[] = []
  const reasons = new Map<string, { call: Call; reason: string }>()
  const times = new Map<string, { call: Call; endedAt: number }>()
  for (const call of calls) {
    for (const { session, reason, endedAt } of tellings(call)) {
      const first = reasons.get(session) ?? { call, reason }
      reasons.set(session, first)
      if (first.reason !== reason) {
        const says = `the session ${session} ended for two reasons`
        violations.push({ promise: 'P5', says, calls: [first.call, call] })
      }
      if (endedAt === undefined) continue
      const earlier = times.get(session) ?? { call, endedAt: Date.parse(endedAt) }
      times.set(session, earlier)
      if (first.reason === reason && earlier.endedAt !== Date.parse(endedAt)) {
        const says = `the session ${session} ended at two times`
        violations.push({ promise: 'P5', says, calls: [earlier.call, call] })
      }
    }
  }
  return violations
}

function canHaveEnded(
  call: Call,
  { id, opening }: KnownSession,
  reason: string,
  toldAt: number
): boolean {
  if (call.start > toldAt || (!isOpen(call) && call.end! < opening.start)) return false
  switch (reason) {
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
      return (
        ['force-logout', 'force-everyone'].includes(call.op) ||
        (call.op === 'force-session' && call.target === id) ||
        (call.op === 'force-platform' && call.platform === opening.platform)
      )
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
