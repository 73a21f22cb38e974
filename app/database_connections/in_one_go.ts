import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type { Client } from 'pg'
import type { Database } from 'sqlite3'

/**
 * A statement and what takes the places of its question marks.
 */
export type Statement = { sql: string; bindings: unknown[] }

/**
 * Runs statements of a transaction in this order, without waiting for the answer to one before the
 * next is sent: PostgreSQL gets them in one packet, SQLite runs one behind the other. Returns the
 * rows of each. Throws what the first that fails throws; then the transaction can only be rolled
 * back.
 *
 * It stands one level below knex, which would take longer to send a small statement than a database
 * to run it.
 */
export async function inOneGo(
  trx: TransactionClientContract,
  statements: Statement[]
): Promise<unknown[][]> {
  const connection = await trx.knexClient.client.acquireConnection()
  const answers =
    trx.dialect.name === 'postgres'
      ? sendToPostgres(connection, statements)
      : statements.map((statement) => runOnSqlite(connection, statement))
  return Promise.all(answers)
}

type Corkable = { connection: { stream: { cork(): void; uncork(): void } } }

function sendToPostgres(client: Client, statements: Statement[]): Promise<unknown[]>[] {
  const { stream } = (client as unknown as Corkable).connection
  stream.cork()
  try {
    return statements.map(async ({ sql, bindings }) => {
      const { rows } = await client.query({ text: numbered(sql), values: bindings })
      return rows
    })
  } finally {
    stream.uncork()
  }
}

function runOnSqlite(connection: Database, { sql, bindings }: Statement): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    connection.all(sql, bindings, (error, rows) => (error ? reject(error) : resolve(rows)))
  })
}

/**
 * PostgreSQL numbers the places.
 */
function numbered(sql: string): string {
  let number = 0
  return sql.replaceAll('?', () => `$${++number}`)
}
