import type { Statement } from '#app/database/pipeline'

/**
 * The text of a statement for SQLite with its values in their places, as the driver would bind
 * them. Text and bytes are spelled in hexadecimal digits, so nothing that somebody sent can end the
 * literal it stands in. Throws on a value that has no such spelling.
 */
export function inlined({ sql, bindings }: Statement): string {
  let number = 0
  return sql.replaceAll('?', () => literal(bindings[number++]))
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'string') return `CAST(x'${Buffer.from(value).toString('hex')}' AS TEXT)`
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (value instanceof Date) return String(value.getTime())
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  throw new TypeError(`SQLite can not be given a ${typeof value} like this.`)
}
