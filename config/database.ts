import env, { usesPostgres } from '#start/env'
import { dirname, isAbsolute } from 'node:path'
import { mkdirSync } from 'node:fs'
import app from '@adonisjs/core/services/app'
import { defineConfig } from '@adonisjs/lucid'
import { LOOKUP_SETTINGS, LOOKUP_TIMEOUT_MS, type PostgresOptions } from '#app/database/postgres'
import { legacyConnection } from '#app/database/legacy'
import { prepareSqlite, prepareSqliteLookup } from '#app/database/sqlite'
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

const pooled: PostgresOptions = {
  url: env.get('DATABASE_URL') ?? '',
  pooler: env.get('DATABASE_POOLER'),
}
const directUrl = env.get('DATABASE_DIRECT_URL')

/**
 * The way to PostgreSQL for whatever needs a session of it: past a pooler, where one is named.
 */
export const direct: PostgresOptions = directUrl ? { url: directUrl, pooler: 'none' } : pooled

/**
 * By name, how each connection to PostgreSQL is made (#app/database/postgres). `migrations` is for
 * `node ace migration:*`, which may take long: no time limit, and past a pooler.
 */
export const postgresOptions: Record<'postgres' | 'lookup' | 'migrations', PostgresOptions> = {
  postgres: pooled,
  lookup: { ...pooled, statementTimeout: LOOKUP_TIMEOUT_MS, settings: LOOKUP_SETTINGS },
  migrations: { ...direct, applicationName: 'latchkey migrations', statementTimeout: 0 },
}

/**
 * The host and the rest come with each connection: `connection` is for knex, which wants one. Its
 * `version` saves it a question.
 */
function postgres(max: number): PostgreConfig {
  return {
    ...shared,
    client: 'pg',
    version: '14',
    connection: {},
    pool: {
      min: 0,
      max,
      acquireTimeoutMillis: ACQUIRE_TIMEOUT_MS,
      createTimeoutMillis: ACQUIRE_TIMEOUT_MS,
    },
  }
}

/**
 * How many lookups are under way at once, on the one connection for them. PostgreSQL works beside
 * this process, so it reads one while the answers to another are written; SQLite's would share this
 * process's threads.
 */
export const lookupsAtOnce = usesPostgres ? 2 : 1

const legacy = env.get('LEGACY_TOKENS_URL')

/**
 * `lookup` is a second way into the same database, for the check of every request alone: sign-ins
 * that hold the other connections never stand before it.
 */
const dbConfig = defineConfig({
  connection: usesPostgres ? 'postgres' : 'sqlite',
  connections: {
    sqlite: sqlite(),
    postgres: postgres(10),
    lookup: usesPostgres ? postgres(1) : sqlite(prepareSqliteLookup),
    migrations: usesPostgres ? postgres(1) : sqlite(),
    ...(legacy && { legacy_tokens: legacyConnection(legacy.url) }),
  },
})

export default dbConfig
