import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { pipeline } from '#app/database/pipeline'
import { inList } from '#app/database/sql'

/**
 * Which tokens: those of these sessions, or these API keys by their ids.
 */
export type TokensToRevoke = { sessions: readonly string[] } | { apiKeys: readonly number[] }

/**
 * What is kept of tokens that newer ones replaced, besides that they ended.
 *
 * - `usedAt`: they were used at this moment, if not before: a refresh is the use of a refresh token
 * - `withdrawn`: nobody had used them, and the holder of the token before got newer ones
 */
export type Replacement = { usedAt?: Date; withdrawn?: boolean }

/**
 * Deletes tokens and keeps what explains each to its holder. `reason` stands there where no session
 * can say it: `rotated`, or why an API key ended.
 */
export async function revokeTokens(
  trx: TransactionClientContract,
  tokens: TokensToRevoke,
  { reason, at, usedAt, withdrawn }: { reason: string | null; at: Date } & Replacement
): Promise<void> {
  const these =
    'sessions' in tokens
      ? inList(trx, 'session_id', 'uuid', tokens.sessions)
      : inList(trx, "type = 'api_key' AND id", 'int8', tokens.apiKeys)
  await pipeline(trx, [
    {
      sql: `INSERT INTO ended_tokens
          (hash, type, session_id, user_id, reason, ended_at, expires_at, first_used_at, withdrawn)
        SELECT hash, type, session_id, tokenable_id, ?, ?, expires_at,
          ${usedAt ? 'coalesce(last_used_at, ?)' : 'last_used_at'}, ?
        FROM api_tokens WHERE ${these.sql}`,
      bindings: [reason, at, ...(usedAt ? [usedAt] : []), withdrawn ?? null, these.binding],
    },
    { sql: `DELETE FROM api_tokens WHERE ${these.sql}`, bindings: [these.binding] },
  ])
}
