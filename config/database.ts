import env from '#start/env'
import { isAbsolute } from 'node:path'
import app from '@adonisjs/core/services/app'
import { defineConfig } from '@adonisjs/lucid'
import { beginAtOnce } from '#app/database/begin_at_once'
import { nameStatements } from '#app/database/name_statements'
import { keepPrepared } from '#app/database/keep_prepared'
import { runInTurn } from '#app/database/run_in_turn'
import { cutWhenSilent } from '#app/database/cut_when_silent'
import type { PostgreConfig, SqliteConfig } from '@adonisjs/lucid/types/database'

const migrations = { naturalSort: true, paths: ['database/migrations'] }

/**
 * Milliseconds after which a statement, or the wait for a connection, fails: the request behind
 * it becomes a 503 instead of hanging.
 */
const PATIENCE = 10_000

/**
 * What SQLite must be told on every new connection. WAL lets checks read while a sign-in writes;
 * FULL keeps an ended session ended after a power cut; foreign keys are off by default. Pages that
 * writes touch again and again (a force logout of very many) are copied back from the log every
 * 10,000 pages, not every 1,000.
 */
function prepareSqlite(connection: any, done: (error: Error | null, connection: any) => void) {
  connection.exec(
    `PRAGMA busy_timeout = ${PATIENCE};
     PRAGMA journal_mode = WAL;
     PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA wal_autocheckpoint = 10000;`,
    (error: Error | null) => done(error, connection)
  )
  keepPrepared(connection)
  runInTurn(connection)
}

/**
 * Lookups go through three indexes to random places: with 64 MiB instead of SQLite's 2 the pages
 * of those who are active stay in memory.
 */
function prepareSqliteLookup(connection: any, done: (error: Error | null, c: any) => void) {
  prepareSqlite(connection, (error) => {
    if (error) done(error, connection)
    else
      connection.run('PRAGMA cache_size = -65536', (fault: Error | null) => done(fault, connection))
  })
}

function sqlite(afterCreate = prepareSqlite): SqliteConfig {
  const file = env.get('SQLITE_FILE')
  return {
    client: 'sqlite3',
    connection: { filename: isAbsolute(file) ? file : app.makePath(file) },
    useNullAsDefault: true,
    migrations,
    pool: { min: 1, max: 1, acquireTimeoutMillis: PATIENCE * 2, afterCreate },
    schemaGeneration: { enabled: false },
  }
}

/**
 * A lookup always goes by unique indexes. While tables are small the planner would rather read
 * whole ones, and it would plan anew for every statement. What a caller no longer waits for
 * (#app/database/lookup_statement) ends on the server too.
 */
function preparePostgresLookup(connection: any, done: (error: Error | null, c: any) => void) {
  cutWhenSilent(connection, PATIENCE / 2 + GRACE)
  connection.query(
    `SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;
     SET statement_timeout = ${PATIENCE / 2}`,
    (error: Error | null) => done(error, connection)
  )
}

/**
 * How much later than the database a node gives up by itself, in milliseconds: the database, if it
 * can still speak, says better what was wrong.
 */
const GRACE = 1_000

function preparePostgres(connection: any, done: (error: Error | null, c: any) => void) {
  cutWhenSilent(connection, PATIENCE + GRACE)
  nameStatements(connection)
  beginAtOnce(connection)
  done(null, connection)
}

/**
 * `idle_in_transaction_session_timeout` frees the rows that a node holds which stands still or is
 * cut off in the middle of a transaction: other nodes would wait for them until TCP gives up.
 */
function postgres(pool: PostgreConfig['pool']): PostgreConfig {
  return {
    client: 'pg',
    connection: {
      connectionString: env.get('DATABASE_URL'),
      application_name: 'latchkey',
      connectionTimeoutMillis: PATIENCE / 2,
      statement_timeout: PATIENCE,
      idle_in_transaction_session_timeout: PATIENCE / 2,
      keepAlive: true,
      pipeline: true,
    } as PostgreConfig['connection'],
    migrations,
    pool: { min: 0, acquireTimeoutMillis: PATIENCE, createTimeoutMillis: PATIENCE, ...pool },
    schemaGeneration: { enabled: false },
  }
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

const dbConfig = defineConfig({
  connection: usesPostgres ? 'postgres' : 'sqlite',
  connections: {
    sqlite: sqlite(),
    postgres: postgres({ max: 10, afterCreate: preparePostgres }),
    lookup: usesPostgres
      ? postgres({ max: 1, afterCreate: preparePostgresLookup })
      : sqlite(prepareSqliteLookup),
  },
})

export default dbConfig
