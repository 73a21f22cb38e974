import { registerQueue } from '#app/metrics/metrics'
import { BatchLoader } from '#app/database/batch_loader'
import { LookupStatement } from '#app/database/lookup_statement'
import type { TokenKind } from '#app/tokens/token'
import type { SessionEnd } from '#exceptions/errors'
import { toDate, type StoredInstant } from '#models/instant'
import type { EndReason } from '#exceptions/end_reasons'
import { takenOverBy } from '#app/sessions/session_end'

/**
 * A token that was once valid. `rotated`: its session lives on with newer tokens.
 */
export type EndedToken = {
  kind: TokenKind
  sessionId: string | null
  userId: number | null
  end: SessionEnd | 'rotated'
}

type Row = {
  hash: string
  type: TokenKind
  session_id: string | null
  user_id: number | null
  reason: EndReason | 'rotated' | null
  ended_at: StoredInstant
  session_end_reason: EndReason | null
  session_ended_at: StoredInstant | null
  by_name: string | null
  by_platform: string | null
  by_user_agent: string | null
}

/**
 * Of the session that took over, the device's name and platform are told and nothing else: the
 * user agent names a device that gave no name.
 */
const statement = new LookupStatement<Row>('latchkey_explain', {
  columns: {
    hash: 'e.hash',
    type: 'e.type',
    session_id: 'e.session_id',
    user_id: 'e.user_id',
    reason: 'e.reason',
    ended_at: 'e.ended_at',
    session_end_reason: 's.end_reason',
    session_ended_at: 's.ended_at',
    by_name: 'n.device_name',
    by_platform: 'n.platform',
    by_user_agent: 'n.user_agent',
  },
  from: `ended_tokens e
    LEFT JOIN sessions s ON s.id = e.session_id
    LEFT JOIN sessions n ON n.id = s.superseded_by`,
  key: 'e.hash',
})

async function readEndedTokens(hashes: string[]): Promise<Map<string, EndedToken>> {
  const found = await statement.read(hashes)
  return new Map(found.map((row) => [row.hash, toEndedToken(row)]))
}

function toEndedToken(row: Row): EndedToken {
  const token = { kind: row.type, sessionId: row.session_id, userId: row.user_id }
  if (row.session_end_reason !== null) {
    const end = {
      reason: row.session_end_reason,
      endedAt: toDate(row.session_ended_at ?? row.ended_at),
      by: takenOverBy(row),
    }
    return { ...token, end }
  }
  if (row.reason === null || row.reason === 'rotated') return { ...token, end: 'rotated' }
  return { ...token, end: { reason: row.reason, endedAt: toDate(row.ended_at) } }
}

/**
 * Finds out what became of a token that the lookup no longer knows, by its hash.
 */
export const endedTokens = new BatchLoader(readEndedTokens)
registerQueue('ended_token_lookup', () => endedTokens.waiting)
