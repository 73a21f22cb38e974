import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { pipeline, type Statement } from '#app/database/pipeline'

/**
 * `column IN (…)` for a list of any length as one bound value, so that the statement stays the
 * same and can be prepared once. All spellings use the column's index; a list of one is spelled as
 * an equation, for which PostgreSQL need not plan anew each time.
 */
export function inList(
  client: QueryClientContract,
  column: string,
  type: 'uuid' | 'text' | 'int' | 'int8',
  values: readonly unknown[]
): { sql: string; binding: unknown } {
  if (values.length === 1) return { sql: `${column} = ?`, binding: values[0] }
  return client.dialect.name === 'postgres'
    ? { sql: `${column} = ANY(?::${type}[])`, binding: values }
    : {
        sql: `${column} IN (SELECT value FROM json_each(?))`,
        binding: JSON.stringify(values),
      }
}

/**
 * The rows of a statement.
 */
export async function rows<Row>(
  client: QueryClientContract,
  sql: string,
  bindings: unknown[] = []
): Promise<Row[]> {
  const [found] = await pipeline(client, [{ sql, bindings }])
  return found as Row[]
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
