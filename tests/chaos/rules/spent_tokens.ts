import { succeeded, type Call } from '../history.js'
import type { Knowledge } from '../knowledge.js'
import type { Violation } from '../checker.js'

/**
 * `REFRESH_RETRY_WINDOW` as the servers of a run have it, in milliseconds.
 */
export const RETRY_WINDOW = 30_000

/**
 * P3 within a living session. A refresh and a password change bring tokens that take the place of
 * those before: with that answer the access token before is dead, and the retry window after the
 * answer after that one so is the refresh token. And within the window of its last answer a refresh
 * token has one successor, however often it is asked.
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
    successor.set(call.token!, call)
    if (!first || first.opened!.refresh === call.opened!.refresh) continue
    if (call.end! < first.start + RETRY_WINDOW) {
      const says = 'a refresh token has two successors'
      violations.push({ promise: 'P3', says, calls: [first, call] })
    }
  }
  return violations
}

/**
 * When a token lost its worth: the call that brought what came before, and the one that ended it.
 */
type Loss = { before: Call; end: Call }

function outlived(calls: Call[], issues: Call[]): Violation[] {
  const { access, refresh } = losses(calls, issues)
  const violations: Violation[] = []
  for (const call of calls) {
    const loss = (call.op === 'refresh' ? refresh : access).get(call.token ?? '')
    if (!loss || loss.end === call || !succeeded(call)) continue
    const forgiven = call.op === 'refresh' && loss.end.op !== 'password' ? RETRY_WINDOW : 0
    if (call.start <= loss.end.end! + forgiven) continue
    /** A refresh shows by itself which tokens came before. */
    const showsBefore = call.opened?.access === loss.before.opened!.access
    violations.push({
      promise: 'P3',
      says: `a token was accepted in "${call.op}" though newer ones had taken its place`,
      calls: showsBefore ? [loss.end, call] : [loss.before, loss.end, call],
    })
  }
  return violations
}

function losses(calls: Call[], issues: Call[]) {
  const access = new Map<string, Loss>()
  const refresh = new Map<string, Loss>()
  const lose = (map: Map<string, Loss>, token: string | undefined, loss: Loss) => {
    if (token && !map.has(token)) map.set(token, loss)
  }
  const broughtBy = new Map<string, Call>()
  for (const call of calls) {
    for (const token of call.opened ? [call.opened.access, call.opened.refresh] : []) {
      if (!broughtBy.has(token)) broughtBy.set(token, call)
    }
  }
  for (const end of issues) {
    const before = broughtBy.get(end.token!)
    if (!before?.opened || before.opened.access === end.opened!.access) continue
    lose(access, before.opened.access, { before, end })
    if (end.op === 'password') lose(refresh, before.opened.refresh, { before, end })
    else if (before.op === 'refresh') lose(refresh, before.token, { before, end })
  }
  return { access, refresh }
}
