import db from '@adonisjs/lucid/services/db'
import { Coalescer } from '#auth/coalescer'
import type { TokenKind } from '#auth/token'
import type { SessionEnd } from '#exceptions/errors'
import { toDate, type StoredInstant } from '#models/instant'
import { cutoffOf, cutoffOfApiKey, type Cutoff } from '#sessions/cutoffs'
import type { EndReason } from '#sessions/end_reasons'
import { takenOverBy } from '#sessions/session_end'
import { inList, rows } from '#sessions/sql'

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
const EXPLAIN = `
  SELECT e.hash, e.type, e.session_id, e.user_id, e.reason, e.ended_at,
    s.end_reason AS session_end_reason, s.ended_at AS session_ended_at,
    n.device_name AS by_name, n.platform AS by_platform,
    n.user_agent AS by_user_agent
  FROM ended_tokens e
  LEFT JOIN sessions s ON s.id = e.session_id
  LEFT JOIN sessions n ON n.id = s.superseded_by
  WHERE `

async function readEndedTokens(hashes: string[]): Promise<Map<string, EndedToken>> {
  const client = db.connection('lookup')
  const list = inList(client, 'e.hash', 'text')
  const found = await rows<Row>(client, EXPLAIN + list.sql, [list.bind(hashes)])
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
export const endedTokens = new Coalescer(readEndedTokens)

/**
 * The end of a session that was cut off and that is not written yet.
 */
export async function explainCutoff(session: {
  userId: number | null
  seq: number
}): Promise<SessionEnd> {
  return endBy(await cutoffOf(db.connection('lookup'), session))
}

/**
 * The same of an API key.
 */
export async function explainKeyCutoff(key: { userId: number; id: number }): Promise<SessionEnd> {
  return endBy(await cutoffOfApiKey(db.connection('lookup'), key))
}

function endBy(cutoff: Cutoff | null): SessionEnd {
  return { reason: cutoff?.reason ?? 'forced', endedAt: cutoff?.at ?? new Date(0) }
}
