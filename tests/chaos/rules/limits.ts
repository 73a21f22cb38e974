import type { Call } from '../history.js'
import type { Knowledge, KnownSession } from '../knowledge.js'
import type { Violation } from '../checker.js'

/**
 * P2: no more sessions of a user than the limit were certainly alive at one moment, and no list
 * shows more. Nor two of one device.
 */
export function limits(known: Knowledge): Violation[] {
  return [
    ...longLists(known),
    ...known.users.flatMap((user) => together(known.sessionsOf(user), known.conditions.limit)),
    ...known.users.flatMap((user) => {
      const byDevice = Map.groupBy(known.sessionsOf(user), ({ opening }) => opening.device)
      byDevice.delete(undefined)
      return [...byDevice.values()].flatMap((sessions) => together(sessions, 1))
    }),
  ]
}

function longLists({ calls, conditions }: Knowledge): Violation[] {
  return calls
    .filter(({ listed }) => listed && listed.length > conditions.limit)
    .map((call) => ({
      promise: 'P2',
      says: `a list shows ${call.listed!.length} sessions of ${call.user}`,
      calls: [call],
    }))
}

/**
 * A session is certainly alive from the answer that opened it to the latest call that began and
 * found it alive.
 */
function together(sessions: KnownSession[], limit: number): Violation[] {
  const lives = sessions.flatMap((session) => {
    const last = session.alive.reduce<Call | null>(
      (latest, call) => (latest && latest.start > call.start ? latest : call),
      null
    )
    const from = session.opening.end
    return last && last.start > from ? [{ from, last, opening: session.opening }] : []
  })
  for (const { from } of lives) {
    const alive = lives.filter((life) => life.from <= from && life.last.start > from)
    if (alive.length <= limit) continue
    const says = `${alive.length} sessions of ${alive[0].opening.user} were alive at once`
    const shown = alive.slice(0, limit + 1)
    const calls = shown.flatMap(({ opening, last }) => [opening, last])
    return [{ promise: 'P2', says, calls }]
  }
  return []
}
