import User from '#models/user'

/**
 * The user behind an e-mail or an id, as people type it; null when there is none.
 */
export async function findUser(emailOrId: string | number): Promise<User | null> {
  const handle = String(emailOrId).trim()
  if (handle.includes('@')) return User.findBy('email', handle.toLowerCase())
  const id = /^[1-9]\d{0,9}$/.test(handle) ? Number(handle) : 0
  return id > 0 && id <= 2_147_483_647 ? User.find(id) : null
}
