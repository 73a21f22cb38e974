import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { rows, type Statement } from '#app/database/sql'
import type { StoredInstant } from '#models/instant'

/**
 * A token of a session, live or spent. `ended_at` says when it was spent; `first_used_at` when it
 * was first used. `answered_at`, `successor` and `withdrawn`: see the migration that adds them.
 */
export type TokenRow = {
  hash: string
  session_id: string
  user_id: number | null
  expires_at: StoredInstant | null
  ended_at: StoredInstant | null
  first_used_at: StoredInstant | null
  answered_at: StoredInstant | null
  successor: number | null
  withdrawn: boolean | number | null
}

export function tokensByHash(hashes: string[]): Statement {
  const places = hashes.map(() => '?').join(', ')
  return {
    sql: `SELECT hash, session_id, tokenable_id AS user_id, expires_at, NULL AS ended_at,
        last_used_at AS first_used_at, NULL AS answered_at, NULL AS successor, NULL AS withdrawn
      FROM api_tokens WHERE session_id IS NOT NULL AND hash IN (${places})
      UNION ALL
      SELECT hash, session_id, sessions.user_id, ended_tokens.expires_at, ended_tokens.ended_at,
        first_used_at, answered_at, successor, withdrawn
      FROM ended_tokens JOIN sessions ON sessions.id = ended_tokens.session_id
      WHERE hash IN (${places})`,
    bindings: [...hashes, ...hashes],
  }
}

export async function readTokens(
  client: QueryClientContract,
  hashes: string[]
): Promise<TokenRow[]> {
  const { sql, bindings } = tokensByHash(hashes)
  return rows<TokenRow>(client, sql, bindings)
}
