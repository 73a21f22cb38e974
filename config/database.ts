import env from '#start/env'
import { dirname, isAbsolute } from 'node:path'
import { mkdirSync } from 'node:fs'
import app from '@adonisjs/core/services/app'
import { defineConfig } from '@adonisjs/lucid'
import {
  LOOKUP_TIMEOUT_MS,
  preparePostgresLookup,
  queryTimeout,
  STATEMENT_TIMEOUT_MS,
} from '#app/database/postgres'
import { confirmServer } from '#app/database/postgres_server'
import { prepareSqlite, prepareSqliteLookup } from '#app/database/sqlite'
import { legacyConnection } from '#app/database/legacy'
import type { PostgreConfig, SqliteConfig } from '@adonisjs/lucid/types/database'

/**
 * Milliseconds after which the wait for a connection fails: the request behind it becomes a 503
 * instead of hanging. SQLite has one connection, whose holder may itself wait for the write lock.
 */
const ACQUIRE_TIMEOUT_MS = 10_000
const SQLITE_ACQUIRE_TIMEOUT_MS = 20_000

/**
 * `compileSqlOnError` is knex's: the message of an error quotes the statement, without it also its
 * values.
 */
const shared = {
  migrations: { naturalSort: true, paths: ['database/migrations'] },
  schemaGeneration: { enabled: false },
  compileSqlOnError: false,
}

/**
 * A fresh checkout, or build, has no tmp/. Another directory that is missing is a wrong SQLITE_FILE.
 */
function sqliteFile(): string {
  const given = env.get('SQLITE_FILE')
  const file = isAbsolute(given) ? given : app.makePath(given)
  if (!usesPostgres && dirname(file) === app.tmpPath())
    mkdirSync(app.tmpPath(), { recursive: true })
  return file
}

function sqlite(afterCreate = prepareSqlite): SqliteConfig {
  return {
    ...shared,
    client: 'sqlite3',
    connection: { filename: sqliteFile() },
    useNullAsDefault: true,
    pool: { min: 1, max: 1, acquireTimeoutMillis: SQLITE_ACQUIRE_TIMEOUT_MS, afterCreate },
  }
}

/**
 * `idle_in_transaction_session_timeout` frees the rows that a node holds which stands still or is
 * cut off in the middle of a transaction: other nodes would wait for them until TCP gives up.
 */
function postgres(pool: PostgreConfig['pool'], statementTimeout = STATEMENT_TIMEOUT_MS) {
  const connection = {
    connectionString: env.get('DATABASE_URL'),
    application_name: 'latchkey',
    connectionTimeoutMillis: 5_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: queryTimeout(statementTimeout),
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
    pipeline: true,
  }
  return {
    ...shared,
    client: 'pg',
    connection: connection as PostgreConfig['connection'],
    pool: {
      min: 0,
      acquireTimeoutMillis: ACQUIRE_TIMEOUT_MS,
      createTimeoutMillis: ACQUIRE_TIMEOUT_MS,
      ...pool,
    },
  } satisfies PostgreConfig
}

/**
 * `DB_CONNECTION` chooses the database. `lookup` is a second way into the same one, for the check
 * of every request alone: sign-ins that hold the other connections never stand before it.
 */
const usesPostgres = env.get('DB_CONNECTION') === 'postgres'

/**
 * How many lookups are under way at once, on the one connection for them. PostgreSQL works beside
 * this process, so it reads one while the answers to another are written; SQLite's would share this
 * process's threads.
 */
export const lookupsAtOnce = usesPostgres ? 2 : 1

const legacy = env.get('LEGACY_TOKENS_URL')

const dbConfig = defineConfig({
  connection: usesPostgres ? 'postgres' : 'sqlite',
  connections: {
    sqlite: sqlite(),
    postgres: postgres({ max: 10, afterCreate: confirmServer }),
    lookup: usesPostgres
      ? postgres({ max: 1, afterCreate: preparePostgresLookup }, LOOKUP_TIMEOUT_MS)
      : sqlite(prepareSqliteLookup),
    ...(legacy && { legacy_tokens: legacyConnection(legacy.url) }),
  },
})

export default dbConfig
