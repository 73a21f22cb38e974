import type { QueryClientContract } from '@adonisjs/lucid/types/database'

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
 * The rows of a raw query: drivers disagree on where they stand.
 */
export async function rows<Row>(
  client: QueryClientContract,
  sql: string,
  bindings: unknown[] = []
): Promise<Row[]> {
  const result = await client.rawQuery(sql, bindings as any)
  return client.dialect.name === 'postgres' ? result.rows : result
}
