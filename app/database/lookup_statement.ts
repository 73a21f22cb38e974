import db from '@adonisjs/lucid/services/db'
import type { Client } from 'pg'
import type { Database } from 'sqlite3'
import { LOOKUP_TIMEOUT_MS } from '#app/database/postgres'
import { leaveReadOnlyServer, READ_ONLY } from '#app/database/postgres_server'
import { statementName } from '#app/database/sql'
import { prepared } from '#app/database/sqlite'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * For each field of a row, the expression that gives it.
 */
export type Columns<Row> = Record<keyof Row & string, string>

/**
 * Reads rows by many keys with one statement, on the connection `lookup`.
 *
 * It stands one level below knex, because every request comes through here: the statement is
 * prepared once for each connection, and all rows come as one JSON text, which the database makes
 * outside of the thread that answers requests.
 *
 * Internal of knex: `acquireConnection` and `releaseConnection` of its client, which lend the
 * driver's own connection. `acquiredConnections` (#app/database/internals) checks them.
 */
export class LookupStatement<Row extends object> {
  readonly #name: string
  readonly #timeoutMs: number
  readonly #columns: (keyof Row & string)[]
  readonly #sqlite: string
  readonly #postgres: string

  /**
   * `columns` says what stands in each field of a row; instants arrive as `StoredInstant`. `from`
   * is what follows `FROM`, and `key` the column, with a unique index, that the keys are compared
   * with. `timeoutMs` is for SQLite: PostgreSQL's is that of the connection.
   */
  constructor(
    name: string,
    query: { columns: Columns<Row>; from: string; key: string },
    timeoutMs = LOOKUP_TIMEOUT_MS
  ) {
    const { columns, from, key } = query
    const values = Object.values(columns).join(', ')
    this.#timeoutMs = timeoutMs
    this.#columns = Object.keys(columns) as (keyof Row & string)[]
    this.#sqlite = `SELECT json_group_array(json_array(${values})) AS found
      FROM ${from} WHERE ${key} IN (SELECT value FROM json_each(?))`
    this.#postgres = `SELECT json_agg(json_build_array(${values})) AS found, ${READ_ONLY} AS read_only
      FROM ${from} WHERE ${key} = ANY($1::text[])`
    this.#name = statementName(name, this.#postgres)
  }

  /**
   * The rows behind the keys, in no order. Throws when the database does not answer in time, and
   * whatever the driver throws.
   */
  async read(keys: string[]): Promise<Row[]> {
    const lookup = db.connection('lookup')
    const { client } = lookup.getReadClient()
    const connection = await client.acquireConnection()
    if (lookup.dialect.name === 'postgres') {
      /** It is pipelined: the next statement goes down it before this one is answered. */
      const answer = this.#readPostgres(connection, keys)
      void client.releaseConnection(connection)
      return this.#toRows(await answer)
    }
    try {
      return this.#toRows(await this.#readSqlite(connection, keys))
    } finally {
      void client.releaseConnection(connection)
    }
  }

  async #readPostgres(connection: Client, keys: string[]): Promise<unknown[][]> {
    const query = { name: this.#name, text: this.#postgres, values: [keys] }
    const { rows } = await connection.query(query)
    /** A node that only checks would never notice by a write that this is no primary any more. */
    if (rows[0].read_only === 'on') leaveReadOnlyServer()
    return rows[0].found ?? []
  }

  /**
   * Reads to the end (`all`): a statement that is not read to its end keeps the snapshot open in
   * which it began.
   */
  async #readSqlite(connection: Database, keys: string[]): Promise<unknown[][]> {
    const statement = await prepared(connection, this.#sqlite)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new E_UNAVAILABLE({ cause: new Error('The database did not answer a lookup.') }))
        connection.interrupt()
      }, this.#timeoutMs)
      statement.all<{ found: string }>([JSON.stringify(keys)], (error, rows) => {
        clearTimeout(timer)
        if (error) reject(error)
        else resolve(JSON.parse(rows[0].found))
      })
    })
  }

  #toRows(found: unknown[][]): Row[] {
    return found.map((values) => {
      const row: Partial<Record<keyof Row, unknown>> = {}
      for (let index = 0; index < values.length; index++) row[this.#columns[index]] = values[index]
      return row as Row
    })
  }
}
