import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Statement } from '#app/database_connections/in_one_go'
import { inList } from '#sessions/sql'

/**
 * Which tokens: those of these sessions, or these API keys by their ids.
 */
export type Retired = { sessions: readonly string[] } | { apiKeys: readonly number[] }

/**
 * What deletes tokens and keeps what explains each to its holder. `reason` stands there where no
 * session can say it: `rotated`, or why an API key ended.
 */
export function retireTokens(
  trx: TransactionClientContract,
  tokens: Retired,
  { reason, at }: { reason: string | null; at: Date }
): Statement[] {
  const { condition, ids } =
    'sessions' in tokens
      ? ofColumn(trx, 'session_id', 'uuid', tokens.sessions)
      : ofColumn(trx, "type = 'api_key' AND id", 'int8', tokens.apiKeys)
  return [
    {
      sql: `INSERT INTO ended_tokens (hash, type, session_id, user_id, reason, ended_at)
        SELECT hash, type, session_id, tokenable_id, ?, ? FROM api_tokens WHERE ${condition}`,
      bindings: [reason, at, ids],
    },
    { sql: `DELETE FROM api_tokens WHERE ${condition}`, bindings: [ids] },
  ]
}

function ofColumn(
  trx: TransactionClientContract,
  column: string,
  type: 'uuid' | 'int8',
  values: readonly unknown[]
) {
  const list = inList(trx, column, type)
  return { condition: list.sql, ids: list.bind(values) }
}
