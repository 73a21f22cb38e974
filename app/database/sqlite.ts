import type { Database, Statement } from 'sqlite3'
import { makePrivateWhenNew } from '#app/database/private_files'
import { noteOpened } from '#app/database/sqlite_file'

type Prepared = (error: Error | null, connection: Database) => void
type Callback = (error: Error | null, rows?: unknown[]) => void

/**
 * Milliseconds that a statement waits for another process to release the write lock.
 */
const BUSY_TIMEOUT_MS = 10_000

/**
 * Prepares a new connection (`pool.afterCreate`). WAL lets checks read while a sign-in writes; FULL
 * keeps an ended session ended after a power cut; foreign keys are off by default. Pages that
 * writes touch again and again (a force logout of very many) are copied back from the log every
 * 10,000 pages, not every 1,000.
 *
 * `serialize` has statements run in the order in which they were sent: the driver has several
 * threads for them.
 */
export function prepareSqlite(connection: Database, done: Prepared): void {
  /** Documented by the driver, missing in its types. */
  const { filename } = connection as { filename?: string }
  if (filename) makePrivateWhenNew(filename)
  connection.serialize()
  beginImmediate(connection)
  connection.exec(
    `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};
     PRAGMA journal_mode = WAL;
     PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA wal_autocheckpoint = 10000;`,
    (error) => {
      if (filename && !error) noteOpened(connection, filename)
      done(error, connection)
    }
  )
}

/**
 * Lookups go through three indexes to random places: with 64 MiB instead of SQLite's 2 the pages
 * of those who are active stay in memory.
 */
export function prepareSqliteLookup(connection: Database, done: Prepared): void {
  prepareSqlite(connection, (error) => {
    if (error) done(error, connection)
    else connection.exec('PRAGMA cache_size = -65536', (fault) => done(fault, connection))
  })
}

/**
 * Has transactions take the write lock as they begin, for one that reads first could fail with
 * SQLITE_BUSY later, and undoes one whose COMMIT fails: SQLite would leave it open, and the
 * connection would go back to the pool within it.
 *
 * Internal of knex: it has no option for the kind of a transaction, and sends `BEGIN;` and
 * `COMMIT;` by the connection's `all`. `sqliteTransactions` (#app/database/internals) checks that.
 */
function beginImmediate(connection: Database): void {
  const all = connection.all.bind(connection) as (sql: string, ...rest: unknown[]) => Database
  connection.all = ((sql: string, ...rest: unknown[]) => {
    if (sql === 'BEGIN;') return all('BEGIN IMMEDIATE', ...rest)
    if (sql !== 'COMMIT;') return all(sql, ...rest)
    const done = rest.at(-1) as Callback
    return all(sql, (error: Error | null, rows: unknown[]) => {
      if (error) all('ROLLBACK', () => done(error))
      else done(null, rows)
    })
  }) as Database['all']
}

const statements = new WeakMap<Database, Map<string, Promise<Statement>>>()

/**
 * A statement that the connection keeps compiled until it closes.
 */
export function prepared(connection: Database, sql: string): Promise<Statement> {
  const kept = statements.get(connection) ?? keepStatements(connection)
  let statement = kept.get(sql)
  if (!statement) {
    statement = new Promise((resolve, reject) => {
      const made = connection.prepare(sql, (error) => (error ? reject(error) : resolve(made)))
    })
    kept.set(sql, statement)
    statement.catch(() => kept.delete(sql))
  }
  return statement
}

/**
 * SQLite refuses to close a connection before its statements are finalized.
 *
 * Internal of knex: it closes a connection by its `close`. `sqliteTransactions`
 * (#app/database/internals) checks that.
 */
function keepStatements(connection: Database) {
  const kept = new Map<string, Promise<Statement>>()
  statements.set(connection, kept)
  const close = connection.close.bind(connection)
  connection.close = (done) => {
    void Promise.allSettled(kept.values()).then((made) => {
      for (const one of made) if (one.status === 'fulfilled') one.value.finalize()
      close(done)
    })
  }
  return kept
}
