import type { Client } from 'pg'
import { confirmServer } from '#app/database/postgres_server'

/**
 * Milliseconds after which PostgreSQL ends a statement, and a lookup, which takes a fraction of one
 * otherwise.
 */
export const STATEMENT_TIMEOUT_MS = 10_000
export const LOOKUP_TIMEOUT_MS = 5_000

/**
 * Milliseconds after which a node stops waiting for the answer to a statement. The limits that the
 * server keeps are of no use when it hangs, or when the network swallows what it says; but while it
 * can speak, it says better what was wrong, so it gets a second more.
 *
 * Internal of pg: on a pipelined connection it then also closes the connection, so that the pool
 * makes another. `postgresTimeout` (#app/database/internals) checks that.
 */
export const queryTimeout = (statementTimeout: number) => statementTimeout + 1_000

/**
 * Prepares a new connection for lookups (`pool.afterCreate`). A lookup always goes by unique
 * indexes; while tables are small the planner would rather read whole ones, and it would plan anew
 * for every statement.
 */
export function preparePostgresLookup(
  connection: Client,
  done: (error: Error | null, connection: Client) => void
): void {
  connection.query(
    `SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;
     SET statement_timeout = ${LOOKUP_TIMEOUT_MS}`,
    (error: Error | null) => (error ? done(error, connection) : confirmServer(connection, done))
  )
}
