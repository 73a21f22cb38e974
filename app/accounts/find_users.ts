import db from '@adonisjs/lucid/services/db'
import { readAccount } from '#app/accounts/credentials'
import type { Page } from '#app/event_log/list'
import { matchingSessions } from '#app/sessions/filters'
import { E_NOT_FOUND, E_VALIDATION_ERROR } from '#exceptions/errors'
import { normalizeEmail } from '#models/email_address'
import User, { EXTERNAL_ID } from '#models/user'

const EXTERNAL = 'external:'

/**
 * The user whom a reference names: an id (digits alone), an e-mail, or `external:ID`, the id by which
 * another system knows them. Routes, commands, filters and the REPL read a user by this alone. Null
 * when there is none.
 */
export async function findUser(reference: string | number): Promise<User | null> {
  const text = String(reference).trimStart()
  if (text.startsWith(EXTERNAL)) return findUserBy('external', text.slice(EXTERNAL.length))
  if (text.includes('@')) return readAccount(text)
  const id = idOf(text)
  return id === null ? null : User.find(id)
}

/**
 * The id of the user whom a reference names, for a look at what is kept of them: an id is taken as it
 * is, because the log outlives its users. Null when there is none.
 */
export async function findUserId(reference: string): Promise<number | null> {
  const id = idOf(reference)
  if (id !== null) return id
  const user = await findUser(reference)
  return user?.id ?? null
}

function idOf(text: string): number | null {
  const id = /^[1-9]\d{0,9}$/.test(text.trim()) ? Number(text) : 0
  return id > 0 && id <= 2_147_483_647 ? id : null
}

/**
 * The user whom a claim of another system names, by that one attribute alone: what looks like an id
 * is no id where the claim holds e-mails, or the other system's user 2 would be ours.
 */
export async function findUserBy(
  attribute: 'email' | 'id' | 'external',
  value: string
): Promise<User | null> {
  if (attribute === 'external') {
    return EXTERNAL_ID.test(value) ? User.findBy('externalId', value) : null
  }
  if (attribute === 'email') return value.includes('@') ? readAccount(value) : null
  const id = idOf(value)
  return id === null ? null : User.find(id)
}

/**
 * The user whom the reference of a path names. Throws `E_NOT_FOUND` when there is none.
 */
export async function findUserOfPath(reference: string): Promise<User> {
  const user = await findUser(reference)
  if (!user) throw new E_NOT_FOUND()
  return user
}

/**
 * What whoever names a user in a body or a query string who does not exist is told.
 */
export function noSuchUser(field: string) {
  const message = 'There is no such user. Nothing was changed.'
  return new E_VALIDATION_ERROR([{ field, rule: 'exists', message }])
}

/**
 * The user whose session, live or ended, has the id of a path. Throws `E_NOT_FOUND` when there is
 * none, or it is no id.
 */
export async function findUserBySession(sessionId: string): Promise<User> {
  const user = UUID.test(sessionId)
    ? await User.query()
        .whereIn('id', (query) => query.from('sessions').select('user_id').where('id', sessionId))
        .first()
    : null
  if (!user) throw new E_NOT_FOUND()
  return user
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * A user as admins see one in a list.
 */
export type ListedUser = { user: User; liveSessions: number }

/**
 * One page of the users whose e-mail, name or external id contains `search`, or whose id it is; by id,
 * with the paginator's numbers.
 */
export async function listUsers(search: string | undefined, { page, perPage }: Page) {
  const query = User.query().orderBy('id')
  if (search) {
    const part = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    query.where((either) => {
      either
        .whereRaw(`lower(email) LIKE ? ESCAPE '\\'`, [part])
        .orWhereRaw(`lower(full_name) LIKE ? ESCAPE '\\'`, [part])
        .orWhereRaw(`lower(external_id) LIKE ? ESCAPE '\\'`, [part])
      const key = normalizeEmail(search)
      if (key) either.orWhere('email_key', key)
      const id = idOf(search)
      if (id !== null) either.orWhere('id', id)
    })
  }
  const paginator = await query.paginate(page, perPage)
  return { users: await toListed(paginator.all()), meta: paginator.getMeta() }
}

/**
 * Users as admins see them.
 */
export async function toListed(users: User[]): Promise<ListedUser[]> {
  const live = await countLive(users.map((user) => user.id))
  return users.map((user) => ({ user, liveSessions: live.get(user.id) ?? 0 }))
}

async function countLive(userIds: number[]): Promise<Map<number, number>> {
  const counted = await matchingSessions(db.connection(), { userIds })
    .select('sessions.user_id')
    .count('* as total')
    .groupBy('sessions.user_id')
  return new Map(counted.map((row) => [row.user_id, Number(row.total)]))
}
