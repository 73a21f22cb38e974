import db from '@adonisjs/lucid/services/db'
import {
  forbidden,
  isServiceClient,
  keepFromAdmins,
  type Administrator,
} from '#app/accounts/administrator'
import { findUser, noSuchUser } from '#app/accounts/find_users'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import type User from '#models/user'
import type { SessionFilters } from '#app/sessions/filters'
import {
  forceLogout,
  previewForceLogout,
  type ForceLogoutOrder,
  type ForceLogoutResult,
} from '#app/force_logout/force_logout'
import { countSessions } from '#app/sessions/list'
import type { Session } from '#app/sessions/session'

/**
 * A force logout as an admin asks for it.
 */
export type AdminOrder = Omit<SessionFilters, 'userIds'> & {
  who: User[] | 'everyone'
  includeApiKeys?: boolean
  dryRun?: boolean
  reason?: string | null
}

/**
 * `endedOwnSession`: the session that asked is among those that end.
 */
export type AdminForceLogout = ForceLogoutResult & { dryRun: boolean; endedOwnSession: boolean }

/**
 * A force logout by an administrator. It returns as soon as all tokens have stopped; the rows of very
 * many are written behind it.
 *
 * Throws `E_VALIDATION_ERROR` for API keys together with filters that only sessions can match, and
 * `E_FORBIDDEN` where a service client means everyone, or an admin.
 */
export async function forceLogoutByAdmin(
  { actor, session }: Administrator,
  { who, includeApiKeys, dryRun, reason, ...filters }: AdminOrder
): Promise<AdminForceLogout> {
  if (who !== 'everyone') for (const user of who) keepFromAdmins(user, actor)
  else if (isServiceClient(actor)) {
    throw forbidden(
      'Everyone includes the admins: a service client names the users (node ace force:logout --all).'
    )
  }
  const order: ForceLogoutOrder = {
    who,
    filters,
    includeApiKeys,
    actor,
    note: reason,
  }
  const endedOwnSession = session !== null && (await includesSession(order, session))
  if (!dryRun) {
    const result = await forceLogout(order, { later: true })
    return { ...result, dryRun: false, endedOwnSession }
  }
  const { matched, sessions, apiKeysLeft } = await previewForceLogout(order)
  return {
    ended: matched.sessions,
    apiKeysEnded: matched.apiKeys,
    apiKeysLeft,
    sessions,
    cut: null,
    complete: true,
    dryRun: true,
    endedOwnSession,
  }
}

/**
 * Whose sessions a body means: users by reference, or everyone. Throws `E_VALIDATION_ERROR`
 * where it names nobody, both, or someone who does not exist.
 */
export async function readWho(said: {
  users?: (string | number)[]
  all?: boolean
}): Promise<User[] | 'everyone'> {
  if (said.all && !said.users) return 'everyone'
  if (!said.users || said.all) {
    throw refused('users', 'usersOrAll', 'Name users, or set all to true. Nothing was changed.')
  }
  const found = new Map<number, User>()
  for (const [index, handle] of said.users.entries()) {
    const user = await findUser(handle)
    if (!user) throw noSuchUser(`users.${index}`)
    found.set(user.id, user)
  }
  return [...found.values()]
}

async function includesSession(order: ForceLogoutOrder, { id, userId }: Session): Promise<boolean> {
  const { who, filters = {} } = order
  if (who !== 'everyone' && !who.some((user) => user.id === userId)) return false
  if (filters.session !== undefined && filters.session !== id) return false
  const found = await countSessions(db.connection(), { ...filters, session: id })
  return found === 1
}

function refused(field: string, rule: string, message: string) {
  return new E_VALIDATION_ERROR([{ field, rule, message }])
}
