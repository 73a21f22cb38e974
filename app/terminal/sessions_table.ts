import clock from '#app/clock'
import { renderTable } from '#app/terminal/table'
import type { ListedSession } from '#app/sessions/list'
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
  const now = clock.millis()
  const rows = sessions.map((session) => [
    session.id,
    session.userId === null ? 'deleted user' : referenceOf({ ...session, id: session.userId }),
    session.device.name ?? session.device.id ?? '-',
    session.device.platform ?? '-',
    session.ip ?? '-',
    ago(now - session.createdAt.getTime()),
    ago(now - session.lastSeenAt.getTime()),
  ])
  return renderTable(COLUMNS, rows, width)
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
