import sqlite3 from 'sqlite3'
import { createPrivately } from '#app/database/private_files'
import db from '@adonisjs/lucid/services/db'
import { ADVISORY_LOCKS } from '#app/database/advisory_locks'
import { connectPostgres, type PostgresOptions } from '#app/database/postgres'
import { postgresOptions } from '#config/database'

/**
 * How long a migration waits for another one on SQLite, in milliseconds: a day, which is to say until
 * that one is done.
 */
const LONGEST_WAIT = 24 * 60 * 60 * 1000

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
 * Held by a transaction that does nothing else, so it holds up nobody but migrations, and goes with its
 * connection.
 */
async function lockPostgres(options: PostgresOptions, waits: () => void) {
  const client = await connectPostgres({ ...options, statementTimeout: 0 })
  try {
    await client.query(
      `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
       SET LOCAL idle_in_transaction_session_timeout = 0`
    )
    const { rows } = await client.query(
      `SELECT pg_try_advisory_xact_lock(${ADVISORY_LOCKS.migrations}) AS taken`
    )
    if (!rows[0].taken) {
      waits()
      await client.query(`SELECT pg_advisory_xact_lock(${ADVISORY_LOCKS.migrations})`)
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
    await run(`PRAGMA busy_timeout = ${LONGEST_WAIT}`)
    await run('BEGIN EXCLUSIVE')
  })
  return { release: () => new Promise<void>((resolve) => lock.close(() => resolve())) }
}
