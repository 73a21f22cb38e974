import { createHash } from 'node:crypto'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import type { RawQueryBindings } from '@adonisjs/lucid/types/querybuilder'

/**
 * A statement and the values of its question marks.
 */
export type Statement = { sql: string; bindings: unknown[] }

/**
 * The name of a prepared statement, which its text decides: behind a pooler, nodes of different
 * versions share connections.
 */
export function statementName(prefix: string, sql: string): string {
  return `${prefix}_${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`
}

/**
 * The rows of a statement.
 */
export async function rows<Row>(
  client: QueryClientContract,
  sql: string,
  bindings: unknown[] = []
): Promise<Row[]> {
  const result = await client.rawQuery(sql, bindings as RawQueryBindings)
  return client.dialect.name === 'postgres' ? result.rows : result
}

/**
 * `column IN (…)` for a list of any length as one bound value, so that the statement's text stays
 * the same. All spellings use the column's index; a list of one is spelled as an equation, for
 * which PostgreSQL plans faster.
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
 * A value that the database works out.
 */
export class Expression implements Statement {
  constructor(
    readonly sql: string,
    readonly bindings: unknown[]
  ) {}
}

/**
 * An INSERT of rows that all have the columns of the first, and what it binds.
 */
export function insertOf(table: string, list: Record<string, unknown>[]): Statement {
  const columns = Object.keys(list[0])
  const values = list.map((row) =>
    columns.map((column) => {
      const value = row[column]
      return value instanceof Expression ? value : new Expression('?', [value])
    })
  )
  const places = values.map((row) => `(${row.map(({ sql }) => sql).join(', ')})`)
  return {
    sql: `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${places.join(', ')}`,
    bindings: values.flat().flatMap(({ bindings }) => bindings),
  }
}

/**
 * Whether a statement failed because a unique value is there already. 23505 is PostgreSQL's SQLSTATE.
 */
export function isUniqueViolation(error: { code?: string; message: string }): boolean {
  return error.code === '23505' || /UNIQUE constraint failed/.test(error.message)
}
