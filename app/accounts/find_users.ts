import db from '@adonisjs/lucid/services/db'
import { readAccount } from '#app/accounts/credentials'
import type { Page } from '#app/event_log/list'
import { matchingSessions } from '#app/sessions/filters'
import { E_NOT_FOUND } from '#exceptions/errors'
import { normalizeEmail } from '#models/email_address'
import User from '#models/user'

/**
 * The user behind an e-mail or an id, as people type it; null when there is none.
 */
export async function findUser(emailOrId: string | number): Promise<User | null> {
  const handle = String(emailOrId).trim()
  if (handle.includes('@')) return readAccount(handle)
  const id = /^[1-9]\d{0,9}$/.test(handle) ? Number(handle) : 0
  return id > 0 && id <= 2_147_483_647 ? User.find(id) : null
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
  return value.includes('@') === (attribute === 'email') ? findUser(value) : null
}

/** What may be an external id. */
export const EXTERNAL_ID = /^[\x20-\x7e]{1,255}$/

/**
 * The user behind an id of a path. Throws `E_NOT_FOUND` when there is none, or it is no id.
 */
export async function findUserById(id: string): Promise<User> {
  const user = id.includes('@') ? null : await findUser(id)
  if (!user) throw new E_NOT_FOUND()
  return user
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
 * One page of the users whose e-mail or name contains `search`, or whose id it is; by id, with the
 * paginator's numbers.
 */
export async function listUsers(search: string | undefined, { page, perPage }: Page) {
  const query = User.query().orderBy('id')
  if (search) {
    const part = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    query.where((either) => {
      either
        .whereRaw(`lower(email) LIKE ? ESCAPE '\\'`, [part])
        .orWhereRaw(`lower(full_name) LIKE ? ESCAPE '\\'`, [part])
      const key = normalizeEmail(search)
      if (key) either.orWhere('email_key', key)
      if (/^[1-9]\d{0,8}$/.test(search)) either.orWhere('id', Number(search))
    })
  }
  const paginator = await query.paginate(page, perPage)
  const users = paginator.all()
  const live = await countLive(users.map((user) => user.id))
  return {
    users: users.map((user): ListedUser => ({ user, liveSessions: live.get(user.id) ?? 0 })),
    meta: paginator.getMeta(),
  }
}

async function countLive(userIds: number[]): Promise<Map<number, number>> {
  const counted = await matchingSessions(db.connection(), { userIds })
    .select('sessions.user_id')
    .count('* as total')
    .groupBy('sessions.user_id')
  return new Map(counted.map((row) => [row.user_id, Number(row.total)]))
}
