import env from '#start/env'

/**
 * Which opaque tokens of the old system are exchanged while a team moves over (docs/moving_over.md).
 */
export type LegacyTokensConfig = {
  /** Who made them: the stock access tokens guard of AdonisJS, or Laravel Sanctum. */
  kind: 'adonis' | 'sanctum' | null
  /** The connection (config/database.ts) to the database that they stand in; undefined: to this one. */
  connection?: string
  /** The zone of dates that name none. */
  timeZone: string
  table: string
  /** What a row must say of the model that it belongs to. */
  model: string
  /** What `tokenable_id` holds: the id of a user here, or in the old system. */
  user: 'id' | 'external' | null
  /** How many milliseconds ago one may have been made. */
  maxAge: number | null
  /** From this moment on none is accepted. Without it none ever is. */
  until?: Date
}

/**
 * What the two frameworks do unless told otherwise.
 */
const DEFAULTS = {
  adonis: { table: 'auth_access_tokens', model: 'auth_token' },
  sanctum: { table: 'personal_access_tokens', model: 'App\\Models\\User' },
}

const kind = env.get('LEGACY_TOKENS_KIND')
const database = env.get('LEGACY_TOKENS_URL')
const { table, model } = DEFAULTS[kind ?? 'adonis']

const legacyTokensConfig: LegacyTokensConfig = {
  kind,
  connection: database ? 'legacy_tokens' : undefined,
  timeZone: database?.timeZone ?? 'utc',
  table: env.get('LEGACY_TOKENS_TABLE') || table,
  model: env.get('LEGACY_TOKENS_MODEL') || model,
  user: env.get('LEGACY_TOKENS_USER'),
  maxAge: env.get('LEGACY_TOKENS_MAX_AGE'),
  until: env.get('LEGACY_TOKENS_UNTIL'),
}

export default legacyTokensConfig
