import db from '@adonisjs/lucid/services/db'
import { normalizeEmail } from '#app/accounts/email_address'
import User from '#models/user'
import type { Page } from '#app/event_log/list'
import { matchingSessions } from '#app/sessions/filters'

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
