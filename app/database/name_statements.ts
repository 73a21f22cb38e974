import type { Client } from 'pg'
import { BoundedCache } from '#app/bounded_cache'

/**
 * Statements that get a name: more than the application has.
 */
const MOST = 200

/**
 * A statement is named when it comes for so many times: one that comes once need not be kept.
 */
const OFTEN = 3

const WORK = /^\s*(select|insert|update|delete|with)\b/i

/**
 * All columns of a table, whatever they are. After a migration has added one, PostgreSQL would
 * refuse such a statement to every connection that has kept it.
 */
const WHATEVER_COLUMNS = /(\bselect|\breturning|,)\s*(["\w]+\.)?\*(?!\s*from\s*\()/i

type Wording = { text: string; values?: unknown[]; name?: string }

const names = new Map<string, string>()

/**
 * How often statements without a name have come: those that come often stay in here.
 */
const counts = new BoundedCache<string, number>(2 * MOST)

/**
 * Has PostgreSQL parse and plan a statement that comes often once for each connection, by giving it
 * a name (https://node-postgres.com/features/queries#prepared-statements). That takes as long as a
 * small one takes to run.
 */
export function nameStatements(client: Client): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  client.query = ((wording: Wording | string, ...rest: unknown[]) => {
    if (typeof wording === 'object' && wording.text) wording.name ??= nameOf(wording.text)
    return query(wording, ...rest)
  }) as Client['query']
}

function nameOf(text: string): string | undefined {
  const name = names.get(text)
  if (name || names.size >= MOST || !WORK.test(text) || WHATEVER_COLUMNS.test(text)) return name

  const count = (counts.get(text) ?? 0) + 1
  counts.set(text, count)
  if (count >= OFTEN) names.set(text, `latchkey_${names.size + 1}`)
  return names.get(text)
}
