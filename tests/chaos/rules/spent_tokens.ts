import { succeeded, type Call } from '../history.js'
import type { Knowledge } from '../knowledge.js'
import type { Violation } from '../checker.js'

/**
 * P3 within a living session. A refresh and a password change bring tokens that take the place of
 * those before: with that answer the access token before is dead, and with the answer after that
 * one so is the refresh token. And a refresh token has one successor, however often it is asked.
 */
export function spentTokens({ calls }: Knowledge): Violation[] {
  const issues = calls
    .filter((call) => call.opened && call.token && call.end !== null && succeeded(call))
    .sort((one, other) => one.end! - other.end!)
  return [...forks(issues), ...outlived(calls, issues)]
}

function forks(issues: Call[]): Violation[] {
  const violations: Violation[] = []
  const successor = new Map<string, Call>()
  for (const call of issues) {
    if (call.op !== 'refresh') continue
    const first = successor.get(call.token!)
    if (!first) successor.set(call.token!, call)
    else if (first.opened!.refresh !== call.opened!.refresh) {
      const says = 'a refresh token has two successors'
      violations.push({ promise: 'P3', says, calls: [first, call] })
    }
  }
  return violations
}

function outlived(calls: Call[], issues: Call[]): Violation[] {
  const replacedBy = new Map<string, Call>()
  const spentBy = new Map<string, Call>()
  const first = (map: Map<string, Call>, token: string | undefined, call: Call) => {
    if (token && !map.has(token)) map.set(token, call)
  }
  const broughtBy = new Map<string, Call>()
  for (const call of calls) {
    if (!call.opened) continue
    broughtBy.set(call.opened.access, call)
    broughtBy.set(call.opened.refresh, call)
  }
  for (const call of issues) {
    const before = broughtBy.get(call.token!)
    if (!before?.opened || before.opened.access === call.opened!.access) continue
    first(replacedBy, before.opened.access, call)
    if (call.op === 'password') first(spentBy, before.opened.refresh, call)
    else if (before.op === 'refresh') first(spentBy, before.token, call)
  }

  const violations: Violation[] = []
  for (const call of calls) {
    const end = (call.op === 'refresh' ? spentBy : replacedBy).get(call.token ?? '')
    if (!end || end === call || !succeeded(call) || call.start <= end.end!) continue
    violations.push({
      promise: 'P3',
      says: `a token was accepted in "${call.op}" though newer ones had taken its place`,
      calls: [end, call],
    })
  }
  return violations
}
