import { isOpen, mayHaveHappened, succeeded, type Call, type Conditions } from './history.js'
import type { KnownSession } from './knowledge.js'

/**
 * A call that may count as a use of its session: between its start and `until`. `isSure`: it
 * counted as one, at no time before its start.
 */
export type Use = { call: Call; until: number; isSure: boolean }

/**
 * How long after its end a stream may still count as a use, in milliseconds: until the server has
 * noticed that its reader is gone.
 */
const STREAM_LINGERS = 3_000

/**
 * How long servers may take to write again after a fault, in milliseconds.
 */
const RECOVERY = 1_000

/**
 * The uses of a session among the calls with its tokens. Introspection is none: it is not the
 * device that asks.
 */
export function usesOf(opening: Call & { end: number }, ofSession: Call[]): Use[] {
  const spent = new Set<string>()
  const uses: Use[] = [{ call: opening, until: opening.end, isSure: true }]
  for (const call of ofSession) {
    if (call.op === 'introspect' || isRefused(call)) continue
    const isRepeated = call.op === 'refresh' && spent.has(call.token!)
    if (call.op === 'refresh' && mayHaveHappened(call)) spent.add(call.token!)
    uses.push({ call, until: latestOf(call), isSure: succeeded(call) && !isRepeated })
  }
  return uses
}

function isRefused({ op, status }: Call): boolean {
  return status === 401 || (op === 'refresh' && status === 400)
}

function latestOf(call: Call): number {
  if (isOpen(call)) return Infinity
  return call.op === 'stream' ? call.end! + STREAM_LINGERS : call.end!
}

/**
 * The use that certainly keeps a session from being idle the longest, of those that were answered
 * before `before`, and the time since which the session is unused at the most.
 *
 * A use in the second half of the idle time is written before it is answered. One in the first half
 * is written behind, within half the idle time: it may be lost when a fault strikes meanwhile, but
 * then what had been written is no older than half the idle time.
 */
export function lastCertainUse(
  { uses }: KnownSession,
  before: number,
  { lifetimes, strikes = [] }: Conditions
): { call: Call; at: number } {
  const { idle, tolerance } = lifetimes!
  let best: { call: Call; at: number } = { call: uses[0].call, at: uses[0].call.start }
  for (const use of uses.slice(1)) {
    const { call, isSure } = use
    if (!isSure || call.end! > before) continue
    const isWritten = call.op === 'refresh' || isLate(use, uses, idle / 2 + tolerance)
    const mayBeLost =
      !isWritten &&
      strikes.some(
        ({ server, start, end }) =>
          (server === undefined || server === call.server) &&
          start < call.start + idle / 2 &&
          end + RECOVERY > call.start
      )
    const at = mayBeLost ? call.start - idle / 2 : call.start
    if (at > best.at) best = { call, at }
  }
  return best
}

/**
 * Whether a use came so long after any other that may have been written before it.
 */
function isLate({ call }: Use, uses: Use[], after: number): boolean {
  return uses.every(
    (other) =>
      other.call === call || other.call.start > call.end! || call.start - other.until > after
  )
}

/**
 * When time has certainly ended a session that nobody ended before; never without lifetimes.
 */
export function timeoutOf({ opening, uses }: KnownSession, { lifetimes }: Conditions): number {
  if (!lifetimes) return Infinity
  const { idle, max, tolerance } = lifetimes
  const used = Math.max(...uses.map(({ until }) => until))
  return Math.min(used + idle, opening.end + max) + tolerance
}
