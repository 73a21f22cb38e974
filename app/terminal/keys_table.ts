import type { ApiKey } from '#app/api_keys/api_key'
import { renderTable } from '#app/terminal/table'

const COLUMNS = [
  { heading: 'ID', least: 4 },
  { heading: 'NAME', least: 8 },
  { heading: 'ABILITIES', least: 10 },
  { heading: 'CREATED', least: 20 },
  { heading: 'LAST USED', least: 9 },
  { heading: 'EXPIRES', least: 7 },
]

/**
 * API keys as a table for people; with whose they are where that is said.
 */
export function keysTable(keys: (ApiKey & { user?: string })[], width?: number): string[] {
  const named = keys.some(({ user }) => user !== undefined)
  const columns = named ? [...COLUMNS, { heading: 'USER', least: 12 }] : COLUMNS
  const rows = keys.map((key) => [
    String(key.id),
    key.name ?? '-',
    key.abilities.join(', '),
    key.createdAt.toISOString(),
    key.lastUsedAt?.toISOString() ?? '-',
    key.expiresAt?.toISOString() ?? '-',
    ...(named ? [key.user ?? '-'] : []),
  ])
  return renderTable(columns, rows, width)
}
