/**
 * Codes with which databases, their drivers and sockets say that they can't serve, or refuse us,
 * though the statement may be right; and what that means, with what to do about it, in words that tell
 * neither addresses nor names. The first that matches counts.
 *
 * SQLSTATEs are those of https://www.postgresql.org/docs/current/errcodes-appendix.html.
 */
const TABLE: [codes: RegExp, says: string][] = [
  [
    /^28[0-9A-Z]{3}$/,
    'The database refuses the user or the password. Set those of DATABASE_URL right, or allow them in pg_hba.conf.',
  ],
  [
    /^3D000$/,
    'There is no database of the name that DATABASE_URL gives. Create it, or mend the name.',
  ],
  [
    /^42501$/,
    'The database user lacks a right. Grant it CONNECT on the database, USAGE on the schema, and all rights on the tables.',
  ],
  [
    /^(42P01|42703|3F000|SQLITE_ERROR)$/,
    'The database lacks a table or a column. Run: node ace migration:run --force',
  ],
  [
    /^25006$/,
    'The database is read-only: a standby, or a server that was demoted. Point DATABASE_URL to the primary.',
  ],
  [
    /^(53300|53400)$/,
    'The database has no connection left to give. Raise max_connections, or run fewer nodes.',
  ],
  [/^(53100|SQLITE_FULL)$/, 'The disk of the database is full. Make room.'],
  [/^53[0-9A-Z]{3}$/, 'The database is short of resources.'],
  [/^(57P0[1-5]|57P00)$/, 'The database is starting, stopping, or has ended the connection.'],
  [/^(57014|55P03|25P03|25P04)$/, 'The database did not get the work done in time.'],
  [/^(40001|40P01)$/, 'The database gave up a transaction in favour of others.'],
  [
    /^08007$/,
    'No synchronous standby has confirmed the transaction. Look at the standbys of the database.',
  ],
  [/^(57|58|XX)[0-9A-Z]{3}$/, 'The database has a fault of its own. Look into its log.'],
  [
    /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$)/,
    'TLS with the database fails. Check its certificate, and sslmode and sslrootcert in DATABASE_URL.',
  ],
  [
    /^(08[0-9A-Z]{3}|ECONN[A-Z]+|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|EAI_[A-Z]+)$/,
    'The database is out of reach. Check that it runs, and host and port of DATABASE_URL.',
  ],
  [
    /^SQLITE_READONLY_DBMOVED$/,
    'The database file was replaced or removed while this process had it open. Restart the process.',
  ],
  [
    /^(SQLITE_READONLY|SQLITE_PERM|SQLITE_AUTH)$/,
    'The process may not write the database file. Give it the right to write SQLITE_FILE and its directory.',
  ],
  [
    /^SQLITE_CANTOPEN$/,
    'There is no database file, or it can not be opened. Check SQLITE_FILE; a new one is made by: node ace migration:run --force',
  ],
  [
    /^(SQLITE_CORRUPT|SQLITE_NOTADB)$/,
    'The database file is damaged, or is none. Check SQLITE_FILE, or restore a backup.',
  ],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)$/, 'Another process has locked the database for too long.'],
  [
    /^(SQLITE_IOERR|SQLITE_NOMEM|SQLITE_PROTOCOL)$/,
    'The database file can not be read or written.',
  ],
]

/**
 * SQLite has one code for all that is wrong with a statement. Its own words, which are the same in
 * every language, tell a schema that lacks a migration from the rest.
 */
const LACKS = /no such (table|column)|has no column named/

/**
 * What an outage means, in words for an operator; undefined for an error that is none. An outage is
 * a 503, never a 401 that would make clients throw their tokens away.
 */
export function outageOf(error: unknown): string | undefined {
  let known: string | undefined
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; depth++) {
    known = ofOne(cause) ?? known
    cause = cause.cause
  }
  return known
}

export const isOutage = (error: unknown) => outageOf(error) !== undefined

function ofOne(error: Error & { code?: unknown; syscall?: unknown }): string | undefined {
  /** Known by its code: ace loads this before the environment that errors of the API read. */
  if (error.code === 'E_UNAVAILABLE') return 'The database is out of reach, or overloaded.'
  if (error instanceof AggregateError) return error.errors.map(outageOf).find(Boolean)
  const { code } = error
  if (typeof code !== 'string' || (code === 'SQLITE_ERROR' && !LACKS.test(error.message))) return
  /** Of a socket in the file system; elsewhere they say that a file is missing. */
  const ofSocket = error.syscall === 'connect' && (code === 'ENOENT' || code === 'EACCES')
  const asked = ofSocket ? 'ECONNREFUSED' : code
  return TABLE.find(([codes]) => codes.test(asked))?.[1]
}
