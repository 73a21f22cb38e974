import db from '@adonisjs/lucid/services/db'

const LOWEST = '00000000-0000-0000-0000-000000000000'
const HIGHEST = LOWEST.replaceAll('0', 'f')
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Whether it is the beginning of a session's id, of 8 characters at least, and not all of it.
 */
export function isPartOfId(text: string): boolean {
  return text.length >= 8 && text.length < LOWEST.length && ID.test(completed(text, LOWEST))
}

/**
 * Ids of sessions, live or ended, that begin with a part of an id: two at most, which is too many.
 */
export async function sessionsThatBegin(part: string): Promise<string[]> {
  const found = await db
    .from('sessions')
    .whereBetween('id', [completed(part, LOWEST), completed(part, HIGHEST)])
    .select('id')
    .limit(2)
  return found.map(({ id }) => id)
}

const completed = (part: string, rest: string) => part + rest.slice(part.length)
