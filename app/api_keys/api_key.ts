import { toDate, type StoredInstant } from '#models/instant'

/**
 * A long-lived credential of a user for scripts, without a session. Its value is shown once, at
 * its creation.
 */
export type ApiKey = {
  id: number
  name: string
  description: string | null
  abilities: string[]
  createdAt: Date
  lastUsedAt: Date | null
  expiresAt: Date | null
}

/**
 * The columns that make an `ApiKey`.
 */
export type ApiKeyRow = {
  id: number | string
  name: string
  description: string | null
  abilities: string
  created_at: StoredInstant
  last_used_at: StoredInstant | null
  expires_at: StoredInstant | null
}

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: Number(row.id),
    name: row.name,
    description: row.description,
    abilities: JSON.parse(row.abilities),
    createdAt: toDate(row.created_at),
    lastUsedAt: toDate(row.last_used_at),
    expiresAt: toDate(row.expires_at),
  }
}
