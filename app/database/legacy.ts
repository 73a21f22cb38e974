import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ConnectionConfig, QueryClientContract } from '@adonisjs/lucid/types/database'
import type { Database } from 'sqlite3'

/*
 * The database of the old system, which is not ours: nothing here changes its settings or makes it.
 */

/**
 * Milliseconds that it has to answer. Whoever waits for it is a person who starts an app.
 */
export const LEGACY_TIMEOUT_MS = 5_000

/**
 * How to reach it: `sqlite:PATH`, `postgres://…` or `mysql://…`.
 */
export function legacyConnection(url: string): ConnectionConfig {
  const shared = { compileSqlOnError: false, schemaGeneration: { enabled: false } }
  const pool = { min: 0, max: 5, acquireTimeoutMillis: LEGACY_TIMEOUT_MS }
  const patience = { acquireConnectionTimeout: LEGACY_TIMEOUT_MS }
  if (url.startsWith('sqlite:')) {
    /** `mode=rw`: a file that is missing is not made. */
    const { href } = pathToFileURL(resolve(url.slice('sqlite:'.length)))
    return {
      ...shared,
      ...patience,
      client: 'sqlite3',
      connection: { filename: `${href}?mode=rw`, flags: ['OPEN_URI'] } as { filename: string },
      useNullAsDefault: true,
      pool: { ...pool, max: 1, afterCreate: waitForLocks },
    }
  }
  if (url.startsWith('mysql:')) {
    const connection = { uri: url, connectTimeout: LEGACY_TIMEOUT_MS }
    return { ...shared, ...patience, client: 'mysql2', connection: connection as object, pool }
  }
  const connection = {
    connectionString: url,
    application_name: 'latchkey',
    connectionTimeoutMillis: LEGACY_TIMEOUT_MS,
    statement_timeout: LEGACY_TIMEOUT_MS,
  }
  return { ...shared, ...patience, client: 'pg', connection: connection as object, pool }
}

function waitForLocks(
  connection: Database,
  done: (error: Error | null, connection: Database) => void
): void {
  connection.exec(`PRAGMA busy_timeout = ${LEGACY_TIMEOUT_MS}`, (error) => done(error, connection))
}

/**
 * How each database says things of columns whose type is anybody's guess.
 */
const SPELLINGS: Record<string, { text: (column: string) => string; integer: string }> = {
  /** ISO 8601 whatever `DateStyle` says, with the zone where the column has one. */
  postgres: { text: (column) => `to_json(${column}) #>> '{}'`, integer: 'bigint' },
  mysql: { text: (column) => `CAST(${column} AS CHAR)`, integer: 'UNSIGNED' },
  sqlite3: { text: (column) => `CAST(${column} AS TEXT)`, integer: 'INTEGER' },
}

/**
 * A column as text that loses nothing: no rounded number, no date in this machine's zone.
 */
export function asText(client: QueryClientContract, column: string): string {
  return SPELLINGS[client.dialect.name].text(column)
}

/**
 * A bound text of up to 18 digits as a number: one that is too large for the column is no error.
 */
export function asInteger(client: QueryClientContract): string {
  return `CAST(? AS ${SPELLINGS[client.dialect.name].integer})`
}
