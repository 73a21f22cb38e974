import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { pipeline } from '#app/database/pipeline'
import { inList } from '#app/database/sql'

/**
 * Which tokens: those of these sessions, or these API keys by their ids.
 */
export type TokensToRevoke = { sessions: readonly string[] } | { apiKeys: readonly number[] }

/**
 * Deletes tokens and keeps what explains each to its holder. `reason` stands there where no session
 * can say it: `rotated`, or why an API key ended.
 */
export async function revokeTokens(
  trx: TransactionClientContract,
  tokens: TokensToRevoke,
  { reason, at }: { reason: string | null; at: Date }
): Promise<void> {
  const these =
    'sessions' in tokens
      ? inList(trx, 'session_id', 'uuid', tokens.sessions)
      : inList(trx, "type = 'api_key' AND id", 'int8', tokens.apiKeys)
  await pipeline(trx, [
    {
      sql: `INSERT INTO ended_tokens (hash, type, session_id, user_id, reason, ended_at)
        SELECT hash, type, session_id, tokenable_id, ?, ? FROM api_tokens WHERE ${these.sql}`,
      bindings: [reason, at, these.binding],
    },
    { sql: `DELETE FROM api_tokens WHERE ${these.sql}`, bindings: [these.binding] },
  ])
}
