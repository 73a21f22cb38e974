import { readAccount } from '#app/accounts/credentials'
import { E_NOT_FOUND } from '#exceptions/errors'
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

const EXTERNAL_ID = /^[\x20-\x7e]{1,255}$/

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
