import { BatchLoader } from '#app/database/batch_loader'
import { LookupStatement, type Columns } from '#app/database/lookup_statement'
import { abilitiesOf } from '#app/tokens/abilities'
import type { TokenKind } from '#app/tokens/token'
import { lookupBatches, registerQueue } from '#app/metrics/metrics'
import { lookupsAtOnce } from '#config/database'
import { toDate, type StoredInstant } from '#models/instant'
import { CHECKED_USER_COLUMNS, toUser } from '#models/user_row'
import type User from '#models/user'
import {
  SESSION_COLUMNS,
  toSession,
  type SessionRow,
  type StoredSession,
} from '#app/sessions/session'

/**
 * All that a check needs of a token: the token, its session (none for an API key), its user, and
 * the watermarks that cover them.
 */
export type TokenRecord = {
  id: number
  hash: string
  kind: TokenKind
  name: string | null
  /** What it may do now. */
  abilities: string[]
  createdAt: Date
  expiresAt: Date | null
  lastUsedAt: Date | null
  user: User
  session: StoredSession | null
  watermarkSeq: number
  watermarkApiKeyId: number
}

/**
 * Without the user's columns, which the model defines.
 */
type LookupRow = SessionRow & {
  token_id: number | string
  token_hash: string
  token_type: TokenKind
  token_name: string | null
  token_abilities: string
  token_created_at: StoredInstant
  token_expires_at: StoredInstant | null
  token_last_used_at: StoredInstant | null
  all_cut_session_seq: number | string | null
  all_cut_api_key_id: number | string | null
}

const ofSession = Object.fromEntries(
  SESSION_COLUMNS.map((column) => [column, `s.${column}`])
) as Columns<SessionRow>

/**
 * One statement for many keys, by the unique index on `api_tokens.hash`; sessions and users come
 * by their own. The two watermarks of everyone are read once a statement.
 */
const statement = new LookupStatement<LookupRow>('latchkey_lookup', {
  columns: {
    token_id: 't.id',
    token_hash: 't.hash',
    token_type: 't.type',
    token_name: 't.name',
    token_abilities: 't.abilities',
    token_created_at: 't.created_at',
    token_expires_at: 't.expires_at',
    token_last_used_at: 't.last_used_at',
    ...ofSession,
    ...CHECKED_USER_COLUMNS,
    all_cut_session_seq: '(SELECT max(session_seq) FROM cutoffs WHERE user_id IS NULL)',
    all_cut_api_key_id: '(SELECT max(api_key_id) FROM cutoffs WHERE user_id IS NULL)',
  },
  from: `api_tokens t
    JOIN users ON users.id = t.tokenable_id
    LEFT JOIN sessions s ON s.id = t.session_id`,
  key: 't.hash',
})

async function readTokens(hashes: string[]): Promise<Map<string, TokenRecord>> {
  lookupBatches.observe(hashes.length)
  const found = await statement.read(hashes)
  return new Map(found.map((row) => [row.token_hash, toRecord(row)]))
}

function toRecord(row: LookupRow): TokenRecord {
  const user = toUser(row)
  return {
    id: Number(row.token_id),
    hash: row.token_hash,
    kind: row.token_type,
    name: row.token_name,
    abilities: abilitiesOf(row.token_type, row.token_abilities),
    createdAt: toDate(row.token_created_at),
    expiresAt: toDate(row.token_expires_at),
    lastUsedAt: toDate(row.token_last_used_at),
    user,
    session: row.id === null ? null : toSession(row),
    watermarkSeq: Math.max(user.watermarkSeq, Number(row.all_cut_session_seq ?? 0)),
    watermarkApiKeyId: Math.max(user.watermarkApiKeyId, Number(row.all_cut_api_key_id ?? 0)),
  }
}

/**
 * The lookup that every check of a token goes through, by the token's hash.
 */
export const tokenLookup = new BatchLoader(readTokens, { statements: lookupsAtOnce })
registerQueue('token_lookup', () => tokenLookup.waiting)
