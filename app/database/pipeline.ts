import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { Query, type Client } from 'pg'
import type { Database } from 'sqlite3'
import { BoundedCache } from '#app/bounded_cache'
import { inlined } from '#app/database/inlined'

/**
 * A statement and what takes the places of its question marks.
 */
export type Statement = { sql: string; bindings: unknown[] }

/**
 * A connection to the database as knex keeps it in its pool, and drops it when it is disposed.
 */
export type Connection = (Client | Database) & { __knex__disposed?: unknown }

/**
 * Runs statements in this order on one connection, that of the transaction if `client` is one,
 * without waiting for the answer to one before the next is sent: PostgreSQL gets them in one
 * packet, SQLite runs one behind the other. Returns the rows of each. Throws what the first that
 * fails throws; then a transaction can only be rolled back.
 *
 * It stands one level below knex, which would take longer to send a small statement than a database
 * to run it.
 */
export async function pipeline(
  client: QueryClientContract,
  statements: Statement[]
): Promise<unknown[][]> {
  const pool = client.getWriteClient().client
  const connection: Connection = await pool.acquireConnection()
  try {
    const answers = isSqlite(connection)
      ? statements.map((statement) => runOnSqlite(connection, statement))
      : inOnePacket(connection, () => sendAll(connection, statements))
    return await Promise.all(answers)
  } finally {
    pool.releaseConnection(connection)
  }
}

function isSqlite(connection: Connection): connection is Database {
  return 'exec' in connection
}

/**
 * Runs statements and commits, all in one go. Throws what the first that fails throws, and when
 * there was nothing left to commit; then nothing has changed.
 */
export async function commitWith(connection: Connection, statements: Statement[]): Promise<void> {
  if (isSqlite(connection)) await commitOnSqlite(connection, statements)
  else await commitOnPostgres(connection, statements)
}

/**
 * PostgreSQL answers the COMMIT of a transaction that an earlier error has undone as if it were a
 * ROLLBACK.
 */
async function commitOnPostgres(client: Client, statements: Statement[]): Promise<void> {
  const [committed] = await Promise.all(
    inOnePacket(client, () => {
      const answers = sendAll(client, statements)
      return [client.query('COMMIT'), ...answers]
    })
  )
  const { command } = committed as { command: string }
  if (command !== 'COMMIT') throw new Error('The transaction was undone before its end.')
}

/**
 * As one text. Each statement by itself would take two turns between threads, which is longer than
 * most of them run; the first that fails ends it, and what follows is not run.
 */
function commitOnSqlite(connection: Database, statements: Statement[]): Promise<void> {
  const script = [...statements.map(inlined), 'COMMIT'].join(';\n')
  return new Promise((resolve, reject) => {
    connection.exec(script, (error) => (error ? reject(error) : resolve()))
  })
}

type Corkable = { connection: { stream: { cork(): void; uncork(): void } } }

function inOnePacket<Sent>(client: Client, send: () => Sent): Sent {
  const { stream } = (client as unknown as Corkable).connection
  stream.cork()
  try {
    return send()
  } finally {
    stream.uncork()
  }
}

/**
 * As queries of the driver's own class: it copies any other object, which takes longer than to
 * send what stands in it.
 */
function sendAll(client: Client, statements: Statement[]): Promise<unknown[]>[] {
  return statements.map(
    ({ sql, bindings }) =>
      new Promise((resolve, reject) => {
        client.query(
          new Query(numbered(sql), bindings, (error, result) => {
            if (error) reject(error)
            else resolve(result.rows)
          })
        )
      })
  )
}

function runOnSqlite(connection: Database, { sql, bindings }: Statement): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    connection.all(sql, bindings, (error, rows) => (error ? reject(error) : resolve(rows)))
  })
}

/**
 * Statements with numbered places, by those with question marks. The application has fewer.
 */
const texts = new BoundedCache<string, string>(500)

/**
 * PostgreSQL numbers the places.
 */
function numbered(sql: string): string {
  return texts.getOrSet(sql, () => {
    let number = 0
    return sql.replaceAll('?', () => `$${++number}`)
  })
}
