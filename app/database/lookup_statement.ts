import type { Socket } from 'node:net'
import db from '@adonisjs/lucid/services/db'
import type { Client } from 'pg'
import type { Database } from 'sqlite3'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * Milliseconds after which a lookup fails: what takes a fraction of one otherwise will not come
 * any more.
 */
const PATIENCE = 5_000

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
 */
export class LookupStatement<Row extends object> {
  readonly #name: string
  readonly #patience: number
  readonly #columns: (keyof Row & string)[]
  readonly #sqlite: string
  readonly #postgres: string

  /**
   * `columns` says what stands in each field of a row; instants arrive as `StoredInstant`. `from`
   * is what follows `FROM`, and `key` the column, with a unique index, that the keys are compared
   * with. `patience` is in milliseconds.
   */
  constructor(
    name: string,
    query: { columns: Columns<Row>; from: string; key: string },
    patience = PATIENCE
  ) {
    const { columns, from, key } = query
    const values = Object.values(columns).join(', ')
    this.#name = name
    this.#patience = patience
    this.#columns = Object.keys(columns) as (keyof Row & string)[]
    this.#sqlite = `SELECT json_group_array(json_array(${values})) AS found
      FROM ${from} WHERE ${key} IN (SELECT value FROM json_each(?))`
    this.#postgres = `SELECT json_agg(json_build_array(${values})) AS found
      FROM ${from} WHERE ${key} = ANY($1::text[])`
  }

  /**
   * The rows behind the keys, in no order. Throws `E_UNAVAILABLE` when the database does not
   * answer in time, and whatever the driver throws.
   */
  async read(keys: string[]): Promise<Row[]> {
    const lookup = db.connection('lookup')
    const pool = lookup.getReadClient().client
    const connection = await pool.acquireConnection()
    if (lookup.dialect.name === 'postgres') {
      /** It is pipelined: the next statement goes down it before this one is answered. */
      const answer = this.#readPostgres(connection, keys)
      void pool.releaseConnection(connection)
      return this.#toRows(await answer)
    }
    try {
      return this.#toRows(await this.#readSqlite(connection, keys))
    } finally {
      void pool.releaseConnection(connection)
    }
  }

  async #readPostgres(connection: Client, keys: string[]): Promise<unknown[][]> {
    const query = { name: this.#name, text: this.#postgres, values: [keys] }
    const { rows } = await inTime(connection.query(query), this.#patience, () => hangUp(connection))
    return rows[0].found ?? []
  }

  /**
   * Reads to the end (`all`): a statement that is not read to its end keeps the snapshot open in
   * which it began.
   */
  async #readSqlite(connection: Database, keys: string[]): Promise<unknown[][]> {
    const answer = new Promise<string>((resolve, reject) => {
      connection.all<{ found: string }>(this.#sqlite, [JSON.stringify(keys)], (error, rows) => {
        if (error) reject(error)
        else resolve(rows[0].found)
      })
    })
    return JSON.parse(await inTime(answer, this.#patience, () => connection.interrupt()))
  }

  #toRows(found: unknown[][]): Row[] {
    return found.map((values) => {
      const row: Partial<Record<keyof Row, unknown>> = {}
      for (let index = 0; index < values.length; index++) row[this.#columns[index]] = values[index]
      return row as Row
    })
  }
}

/**
 * What the database answers, unless it takes too long: then `giveUp` ends the attempt, so that the
 * next one starts clean.
 */
async function inTime<Answer>(
  answer: Promise<Answer>,
  patience: number,
  giveUp: () => void
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new E_UNAVAILABLE({ cause: new Error('The database did not answer a lookup.') }))
      giveUp()
    }, patience)
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Cuts a connection on which a query hangs. The pool sees it cut and makes another.
 */
function hangUp(connection: Client) {
  const { stream } = (connection as unknown as { connection: { stream: Socket } }).connection
  ;(connection as { __knex__disposed?: unknown }).__knex__disposed = 'The connection hangs.'
  stream.destroy()
}
