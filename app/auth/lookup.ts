import { Coalescer } from '#auth/coalescer'
import { LookupStatement, type Columns } from '#auth/lookup_statement'
import type { TokenKind } from '#auth/token'
import { lookupBatches } from '#app/metrics/metrics'
import { lookupsAtOnce } from '#config/database'
import { toDate, type StoredInstant } from '#models/instant'
import User from '#models/user'
import { SESSION_COLUMNS, toSession, type Session, type SessionRow } from '#sessions/session'

/**
 * All that a check needs of a token: the token, its session (none for an API key), its user, and
 * the cut-offs that cover them.
 */
export type TokenRecord = {
  id: number
  kind: TokenKind
  name: string | null
  abilities: string[]
  createdAt: Date
  expiresAt: Date | null
  lastUsedAt: Date | null
  user: User
  session: Session | null
  cutSessionSeq: number
  cutApiKeyId: number
}

type LookupRow = SessionRow & {
  token_id: number | string
  token_hash: string
  token_type: TokenKind
  token_name: string | null
  token_abilities: string
  token_created_at: StoredInstant
  token_expires_at: StoredInstant | null
  token_last_used_at: StoredInstant | null
  u_id: number
  u_full_name: string | null
  u_email: string
  u_password: string
  u_role: string
  u_session_limit: number | null
  u_cut_session_seq: number | string
  u_cut_api_key_id: number | string
  u_disabled_at: StoredInstant | null
  u_created_at: StoredInstant
  u_updated_at: StoredInstant
  all_cut_session_seq: number | string | null
  all_cut_api_key_id: number | string | null
}

const ofSession = Object.fromEntries(
  SESSION_COLUMNS.map((column) => [column, `s.${column}`])
) as Columns<SessionRow>

/**
 * One statement for many keys, by the unique index on `api_tokens.hash`; sessions and users come
 * by their own. The two cut-off numbers of everyone are read once a statement.
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
    u_id: 'u.id',
    u_full_name: 'u.full_name',
    u_email: 'u.email',
    u_password: 'u.password',
    u_role: 'u.role',
    u_session_limit: 'u.session_limit',
    u_cut_session_seq: 'u.cut_session_seq',
    u_cut_api_key_id: 'u.cut_api_key_id',
    u_disabled_at: 'u.disabled_at',
    u_created_at: 'u.created_at',
    u_updated_at: 'u.updated_at',
    all_cut_session_seq: '(SELECT max(session_seq) FROM cutoffs WHERE user_id IS NULL)',
    all_cut_api_key_id: '(SELECT max(api_key_id) FROM cutoffs WHERE user_id IS NULL)',
  },
  from: `api_tokens t
    JOIN users u ON u.id = t.tokenable_id
    LEFT JOIN sessions s ON s.id = t.session_id`,
  key: 't.hash',
})

async function readTokens(hashes: string[]): Promise<Map<string, TokenRecord>> {
  lookupBatches.observe(hashes.length)
  const found = await statement.read(hashes)
  return new Map(found.map((row) => [row.token_hash, toRecord(row)]))
}

function toRecord(row: LookupRow): TokenRecord {
  return {
    id: Number(row.token_id),
    kind: row.token_type,
    name: row.token_name,
    abilities: parseAbilities(row.token_abilities),
    createdAt: toDate(row.token_created_at),
    expiresAt: toDate(row.token_expires_at),
    lastUsedAt: toDate(row.token_last_used_at),
    user: toUser(row),
    session: row.id === null ? null : toSession(row),
    cutSessionSeq: Math.max(Number(row.u_cut_session_seq), Number(row.all_cut_session_seq ?? 0)),
    cutApiKeyId: Math.max(Number(row.u_cut_api_key_id), Number(row.all_cut_api_key_id ?? 0)),
  }
}

/**
 * Every session token holds `["*"]`; whatever is no list of words grants nothing.
 */
function parseAbilities(stored: string): string[] {
  if (stored === '["*"]') return ['*']
  try {
    const abilities = JSON.parse(stored)
    return Array.isArray(abilities) ? abilities.filter((word) => typeof word === 'string') : []
  } catch {
    return []
  }
}

/**
 * The model as Lucid makes it from a row of `users`. Lucid sets one column after the other through
 * the model's proxy, which alone would be a tenth of the cost of a request.
 */
function toUser(row: LookupRow): User {
  const columns = {
    id: row.u_id,
    fullName: row.u_full_name,
    email: row.u_email,
    password: row.u_password,
    role: row.u_role,
    sessionLimit: row.u_session_limit,
    cutSessionSeq: Number(row.u_cut_session_seq),
    cutApiKeyId: Number(row.u_cut_api_key_id),
    disabledAt: toDate(row.u_disabled_at),
    createdAt: toDate(row.u_created_at),
    updatedAt: toDate(row.u_updated_at),
  }
  const user = new User()
  Object.assign(user.$attributes, columns)
  Object.assign(user.$original, columns)
  user.$isPersisted = true
  user.$isLocal = false
  return user
}

/**
 * The lookup that every check of a token goes through, by the token's hash.
 */
export const tokenLookup = new Coalescer(readTokens, { statements: lookupsAtOnce })
