/**
 * Codes with which drivers say that the database can't serve just now, though the statement may
 * be right: SQLite result codes, PostgreSQL SQLSTATEs (whole classes by their first two
 * characters: 08 connection, 53 resources, 57 operator intervention, 58 system) and sockets. A table or
 * column that is missing (42P01, 42703) means that a migration has yet to run.
 */
const SQLITE = new Set([
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
  'SQLITE_NOMEM',
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
])
const SQLSTATE = /^(08|53|57|58)[0-9A-Z]{3}$|^(25006|25P03|40001|40P01|42P01|42703|55P03|XX000)$/
const SOCKET = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOENT)/
const SENTENCES =
  /Connection terminated|timeout exceeded when trying to connect|Timeout acquiring a connection|Unable to acquire a connection|is not queryable|Query read timeout|aborted|no such (?:table|column)|Connection ended unexpectedly|Knex: Timeout/

/**
 * Whether an error means that the database is out of reach or can't write for now: a 503, never
 * a 401 that would make clients throw their tokens away.
 */
export function isOutage(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 4; depth++) {
    const { code } = cause as { code?: unknown }
    if (typeof code === 'string') {
      if (SQLITE.has(code) || SQLSTATE.test(code) || SOCKET.test(code)) return true
    }
    if (SENTENCES.test(cause.message)) return true
    if (cause instanceof AggregateError && cause.errors.some(isOutage)) return true
    cause = cause.cause
  }
  return false
}
