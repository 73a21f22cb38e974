import clock from '#app/clock'
import { renderTable } from '#app/terminal/table'
import type { ListedSession } from '#app/sessions/list'
import type { EndedSession } from '#app/sessions/list_ended'
import { referenceOf } from '#models/user'

const COLUMNS = [
  { heading: 'SESSION', least: 36 },
  { heading: 'USER', least: 12 },
  { heading: 'DEVICE', least: 8 },
  { heading: 'PLATFORM', least: 6 },
  { heading: 'IP', least: 7 },
  { heading: 'SIGNED IN', least: 9 },
  { heading: 'LAST SEEN', least: 9 },
]

/**
 * Sessions as a table for people, as wide as their terminal.
 */
export function sessionsTable(sessions: ListedSession[], width?: number): string[] {
  return renderTable(COLUMNS, rowsOf(sessions), width)
}

/**
 * The same of ended sessions, with when and why they ended.
 */
export function endedSessionsTable(sessions: EndedSession[], width?: number): string[] {
  const columns = [...COLUMNS, { heading: 'ENDED', least: 9 }, { heading: 'REASON', least: 10 }]
  const now = clock.millis()
  const rows = rowsOf(sessions).map((cells, index) => {
    const { endedAt, reason } = sessions[index]
    return [...cells, ago(now - endedAt.getTime()), reason]
  })
  return renderTable(columns, rows, width)
}

function rowsOf(sessions: ListedSession[]): string[][] {
  const now = clock.millis()
  return sessions.map((session) => [
    session.id,
    session.userId === null ? 'deleted user' : referenceOf({ ...session, id: session.userId }),
    session.device.name ?? session.device.id ?? '-',
    session.device.platform ?? '-',
    session.ip ?? '-',
    ago(now - session.createdAt.getTime()),
    ago(now - session.lastSeenAt.getTime()),
  ])
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/**
 * How long ago, in the largest whole unit.
 */
function ago(milliseconds: number): string {
  for (const [unit, size] of UNITS) {
    if (milliseconds >= size) return `${Math.floor(milliseconds / size)}${unit} ago`
  }
  return 'now'
}
