import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import {
  acquiredConnections,
  postgresStartup,
  postgresTimeout,
  sqliteTransactions,
} from '#app/database/internals'
import { socketsNameTheirResponse } from '#app/http/raw_http_errors'
import { checkUserHydration } from '#models/user_row'
import { socketsTellTheirQueue } from '#app/http/socket_bounds'
import { usesPostgres } from '#start/env'

/**
 * Something of a dependency that the application relies on though no documentation promises it.
 */
export type Internal = {
  /** A package; `node` for Node.js itself. */
  of: string
  what: string
  reliedOnBy: string
  isThere: () => boolean | Promise<boolean>
}

const ofKnex: Internal = {
  of: 'knex',
  what: 'connections that come by `acquireConnection` of its client, made by `acquireRawConnection`',
  reliedOnBy:
    'app/database/acquire_queue_limit.ts, app/database/lookup_statement.ts and app/database/postgres.ts',
  isThere: acquiredConnections,
}

const ofSqlite: Internal = {
  of: 'knex',
  what: 'transactions of SQLite that are `BEGIN;` and `COMMIT;`, sent by `all`, and connections closed by `close`',
  reliedOnBy: 'app/database/sqlite.ts',
  isThere: sqliteTransactions,
}

const ofPostgres: Internal = {
  of: 'pg',
  what: 'the `query_timeout` of a pipelined connection, which closes it',
  reliedOnBy: 'app/database/postgres.ts',
  isThere: postgresTimeout,
}

const ofPostgresStartup: Internal = {
  of: 'pg',
  what: 'startup packet that `getStartupConf` of its client fills',
  reliedOnBy: 'app/database/postgres.ts',
  isThere: postgresStartup,
}

const ofNode: Internal = {
  of: 'node',
  what: '`_httpMessage`, the response that a socket is writing',
  reliedOnBy: 'app/http/raw_http_errors.ts',
  isThere: socketsNameTheirResponse,
}

const ofLucid: Internal = {
  of: '@adonisjs/lucid',
  what: 'models whose state is `$attributes`, `$original`, `$isPersisted` and `$isLocal`',
  reliedOnBy: 'app/models/user_row.ts',
  isThere: () => {
    checkUserHydration()
    return true
  },
}

const ofSockets: Internal = {
  of: 'node',
  what: '`_handle.writeQueueSize`, the bytes of a socket that the other side has not taken',
  reliedOnBy: 'app/http/socket_bounds.ts',
  isThere: socketsTellTheirQueue,
}

/**
 * All of them, for the database in use. Whatever else the application uses is documented.
 */
export const INTERNALS: Internal[] = [
  ofKnex,
  ...(usesPostgres ? [ofPostgres, ofPostgresStartup] : [ofSqlite]),
  ofNode,
  ofLucid,
  ofSockets,
]

/**
 * Throws an error that names the first that is not there: an upgrade of a dependency must not go
 * unnoticed until sessions outlive their end.
 */
export async function assertInternals(internals = INTERNALS): Promise<void> {
  for (const { of, what, reliedOnBy, isThere } of internals) {
    const found = await Promise.try(isThere).catch(() => false)
    if (found) continue
    throw new Error(`${of} ${versionOf(of)} has no ${what}: ${reliedOnBy} relies on that.`)
  }
}

function versionOf(name: string): string {
  if (name === 'node') return process.version
  return JSON.parse(readFileSync(findPackageJSON(name, import.meta.url)!, 'utf8')).version
}
