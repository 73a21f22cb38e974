import { isOpen, mayHaveHappened, succeeded, type Call, type Operation } from '../history.js'
import type { Knowledge } from '../knowledge.js'
import type { Violation } from '../checker.js'

const BY_TOKEN = ['401 E_SESSION_ENDED', '401 E_TOKEN_EXPIRED']

/**
 * What may be answered besides success and a 503. A 401 for an unknown token is not among it: every
 * token that is sent was valid once, and who gets that answer throws it away.
 */
const REFUSALS: Record<Operation, string[]> = {
  'login': ['403 E_ACCOUNT_DISABLED', '400 E_INVALID_CREDENTIALS'],
  'check': BY_TOKEN,
  'list': BY_TOKEN,
  'forward-auth': BY_TOKEN,
  'introspect': [],
  'stream': BY_TOKEN,
  'events': BY_TOKEN,
  'feed': [],
  'refresh': ['401 E_SESSION_ENDED', '400 E_INVALID_REFRESH_TOKEN', '400 E_REFRESH_TOKEN_REUSED'],
  'logout': BY_TOKEN,
  'logout-others': BY_TOKEN,
  'logout-all': BY_TOKEN,
  'end-session': [...BY_TOKEN, '404 E_NOT_FOUND'],
  'password': [...BY_TOKEN, '400 E_INVALID_CREDENTIALS'],
  'force-logout': BY_TOKEN,
  'force-session': BY_TOKEN,
  'force-platform': BY_TOKEN,
  'force-everyone': BY_TOKEN,
  'disable': BY_TOKEN,
  'enable': BY_TOKEN,
}

/**
 * In the words of the API and in those of OAuth.
 */
const UNAVAILABLE = ['E_UNAVAILABLE', 'temporarily_unavailable']

/**
 * P4: whatever strikes, there are 503s that say when to try again, and cut connections, but no
 * fault of the service's own and no refusal that nothing explains.
 */
export function answers({ calls }: Knowledge): Violation[] {
  const bySession = Map.groupBy(calls, ({ session }) => session)
  const byUser = Map.groupBy(calls, ({ user }) => user)
  const wrong = calls.filter((call) => {
    if (call.status === null || (call.status >= 200 && call.status < 300)) return false
    if (call.status === 503) return call.withoutRetryAfter || !UNAVAILABLE.includes(call.code ?? '')
    if (!REFUSALS[call.op].includes(`${call.status} ${call.code}`)) return true
    return !isExplained(call, bySession.get(call.session) ?? [], byUser.get(call.user) ?? [])
  })
  const broughtBy = new Map(calls.map((call) => [call.opened?.access, call]))
  return [
    ...wrong.map((call) => {
      const before = call.token ? broughtBy.get(call.token) : undefined
      const says = `an answer ${call.status} ${call.code ?? ''} that no fault explains`
      return { promise: 'P4', says, calls: before ? [before, call] : [call] }
    }),
    ...disabledSignIns(calls, byUser),
  ]
}

/**
 * Whether another call of the same session, or of the same user, can be behind a refusal.
 */
function isExplained(call: Call, ofSession: Call[], ofUser: Call[]): boolean {
  const begunBefore = (other: Call) =>
    other !== call && other.start < call.end! && mayHaveHappened(other)
  const overlaps = (other: Call) => begunBefore(other) && (isOpen(other) || other.end! > call.start)
  switch (call.code) {
    case 'E_TOKEN_EXPIRED':
      return ofSession.some(
        (other) => ['refresh', 'password'].includes(other.op) && begunBefore(other)
      )
    case 'E_INVALID_REFRESH_TOKEN':
      return ofSession.some((other) => other.op === 'password' && begunBefore(other))
    case 'E_INVALID_CREDENTIALS':
      return ofUser.some((other) => other.op === 'password' && overlaps(other))
    case 'E_ACCOUNT_DISABLED':
      return ofUser.some(
        (other) =>
          other.op === 'disable' && begunBefore(other) && !enabledBetween(other, call, ofUser)
      )
    default:
      return true
  }
}

/**
 * Whether the user was certainly enabled again between two calls.
 */
function enabledBetween(disabling: Call, later: Call, ofUser: Call[]): boolean {
  return ofUser.some(
    (call) =>
      call.op === 'enable' &&
      succeeded(call) &&
      !isOpen(disabling) &&
      call.start > disabling.end! &&
      call.end! < later.start
  )
}

/**
 * P1: nobody signs in to an account that is disabled.
 */
function disabledSignIns(calls: Call[], byUser: Map<string, Call[]>): Violation[] {
  const violations: Violation[] = []
  for (const disabling of calls) {
    if (disabling.op !== 'disable' || !succeeded(disabling)) continue
    const ofUser = byUser.get(disabling.user)!
    const enabling = ofUser.find(
      (call) =>
        call.op === 'enable' &&
        mayHaveHappened(call) &&
        (isOpen(call) || call.end! > disabling.start)
    )
    const login = ofUser.find(
      (call) =>
        call.op === 'login' &&
        succeeded(call) &&
        call.start > disabling.end! &&
        call.end! < (enabling?.start ?? Infinity)
    )
    if (login) {
      const says = `${login.user} signed in though the account was disabled`
      violations.push({ promise: 'P1', says, calls: [disabling, login] })
    }
  }
  return violations
}
