import type { Client } from 'pg'

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

const seen = new Map<string, { times: number; name?: string }>()
let named = 0

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
  let entry = seen.get(text)
  if (!entry) {
    if (!WORK.test(text) || WHATEVER_COLUMNS.test(text)) return undefined
    /** Those that did not come often make room. */
    if (seen.size >= 2 * MOST) forgetUnnamed()
    entry = { times: 0 }
    seen.set(text, entry)
  }
  entry.times++
  if (!entry.name && entry.times >= OFTEN && named < MOST) entry.name = `latchkey_${++named}`
  return entry.name
}

function forgetUnnamed() {
  for (const [text, { name }] of seen) if (!name) seen.delete(text)
}
