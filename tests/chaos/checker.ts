import { answers } from './rules/answers.js'
import { deadSessions } from './rules/dead_sessions.js'
import { endings } from './rules/endings.js'
import { lifetimes } from './rules/lifetimes.js'
import { limits } from './rules/limits.js'
import { spentTokens } from './rules/spent_tokens.js'
import type { Call, Conditions } from './history.js'
import { Knowledge } from './knowledge.js'

/**
 * A promise that the history shows broken, with the shortest part of it that shows it.
 */
export type Violation = { promise: string; says: string; calls: Call[] }

/**
 * Holds a history of calls against the promises, as a linearizability checker does: whatever an
 * answer says had happened when it came, and no call that began later may see it otherwise. A call
 * without an answer may have happened at any time after it began, or never. The violation that the
 * fewest calls show comes first.
 */
export function check(history: Call[], conditions: Conditions): Violation[] {
  const known = new Knowledge(history, conditions)
  const rules = [answers, deadSessions, spentTokens, limits, lifetimes, endings]
  const violations = rules.flatMap((rule) => rule(known))
  return violations.sort((one, other) => one.calls.length - other.calls.length)
}
