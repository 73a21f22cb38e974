import sqlite3 from 'sqlite3'
import { createPrivately } from '#app/database/private_files'
import db from '@adonisjs/lucid/services/db'
import { connectPostgres, type PostgresOptions } from '#app/database/postgres'
import { postgresOptions } from '#config/database'

/**
 * The key of the lock on PostgreSQL, of this application alone.
 */
const KEY = 1_767_000_011

/**
 * How long a migration waits for another one, in milliseconds, on SQLite: until it has it, or so.
 */
const PATIENCE = 24 * 60 * 60 * 1000

export type MigrationLock = { release(): Promise<void> }

/**
 * Waits until no other process migrates the database of a connection, and keeps others from it until
 * the lock is released, or this process ends. `waits` is called when there is somebody to wait for.
 *
 * Lucid's own lock fails whoever comes second, and knows none on SQLite.
 */
export async function lockMigrations(
  connectionName: string,
  waits: () => void
): Promise<MigrationLock> {
  const { config } = db.manager.get(connectionName)!
  if (config.client === 'pg') {
    const options: Record<string, PostgresOptions> = postgresOptions
    return lockPostgres(options[connectionName] ?? postgresOptions.migrations, waits)
  }
  const { filename } = config.connection as { filename: string }
  return lockSqlite(`${filename}-migrating`, waits)
}

/**
 * Held by a transaction and not by the session, so that it also works through a pooler in transaction
 * mode. It does nothing else, so it holds up nobody but migrations.
 */
async function lockPostgres(options: PostgresOptions, waits: () => void) {
  const client = await connectPostgres({ ...options, statementTimeout: 0 })
  try {
    await client.query(
      `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
       SET LOCAL idle_in_transaction_session_timeout = 0`
    )
    const { rows } = await client.query(`SELECT pg_try_advisory_xact_lock(${KEY}) AS taken`)
    if (!rows[0].taken) {
      waits()
      await client.query(`SELECT pg_advisory_xact_lock(${KEY})`)
    }
  } catch (error) {
    await client.end()
    throw error
  }
  return { release: () => client.end() }
}

/**
 * A file of its own beside the database, whose lock ends with the process that holds it. It stays: who
 * deletes it takes it from those who wait.
 */
async function lockSqlite(file: string, waits: () => void) {
  try {
    createPrivately(file)
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  }
  const lock = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(file, (error) => (error ? reject(error) : resolve(opened)))
  })
  const run = (sql: string) =>
    new Promise<void>((resolve, reject) =>
      lock.exec(sql, (error) => (error ? reject(error) : resolve()))
    )
  await run('BEGIN EXCLUSIVE').catch(async (error) => {
    if (error.code !== 'SQLITE_BUSY') throw error
    waits()
    await run(`PRAGMA busy_timeout = ${PATIENCE}`)
    await run('BEGIN EXCLUSIVE')
  })
  return { release: () => new Promise<void>((resolve) => lock.close(() => resolve())) }
}
