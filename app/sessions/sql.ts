import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import { inOneGo, type Statement } from '#app/database_connections/in_one_go'

/**
 * `column IN (…)` for a list of any length as one bound value, so that the statement stays the
 * same and can be prepared once. Both spellings use the column's index.
 */
export function inList(
  client: QueryClientContract,
  column: string,
  type: 'uuid' | 'text' | 'int' | 'int8'
) {
  return client.dialect.name === 'postgres'
    ? { sql: `${column} = ANY(?::${type}[])`, bind: (values: readonly unknown[]) => values as any }
    : {
        sql: `${column} IN (SELECT value FROM json_each(?))`,
        bind: (values: readonly unknown[]) => JSON.stringify(values),
      }
}

/**
 * The rows of a statement: drivers disagree on where they stand.
 */
export async function rows<Row>(
  client: QueryClientContract,
  sql: string,
  bindings: unknown[] = []
): Promise<Row[]> {
  if (client.isTransaction) {
    const [found] = await inOneGo(client as TransactionClientContract, [{ sql, bindings }])
    return found as Row[]
  }
  const result = await client.rawQuery(sql, bindings as any)
  return client.dialect.name === 'postgres' ? result.rows : result
}

/**
 * An INSERT of rows that all have the columns of the first, and what it binds. What runs with every
 * sign-in is spelled out like this: knex takes longer to build a statement than SQLite to run it.
 */
export function insertOf(table: string, list: Record<string, unknown>[]): Statement {
  const columns = Object.keys(list[0])
  const places = `(${columns.map(() => '?').join(', ')})`
  return {
    sql: `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${list.map(() => places).join(', ')}`,
    bindings: list.flatMap((row) => columns.map((column) => row[column])),
  }
}
