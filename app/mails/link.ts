import { createHmac } from 'node:crypto'
import { derivedKey } from '#app/tokens/token'
import accountsConfig from '#config/accounts'

/**
 * Which page a link leads to, and how its token begins: it sets a new password, verifies the account's
 * address, or gives the account the address that it was mailed to.
 */
const PURPOSES = {
  reset: { prefix: 'opr_', page: () => accountsConfig.resetPage },
  verify: { prefix: 'oev_', page: () => accountsConfig.emailPage },
  change: { prefix: 'oev_', page: () => accountsConfig.emailPage },
}

export type Purpose = keyof typeof PURPOSES

/**
 * A link that a mail carries, without its secret.
 */
export type MailedLink = { purpose: Purpose; id: string; expiresAt: Date }

const key = derivedKey('latchkey link in a mail')

/**
 * The token of a link, which is stored nowhere: every node derives the same from `APP_KEY`.
 */
export function tokenOfLink({ purpose, id }: Pick<MailedLink, 'purpose' | 'id'>): string {
  const code = createHmac('sha256', key).update(`${purpose} ${id}`).digest('base64url')
  return PURPOSES[purpose].prefix + code
}

/**
 * Where a mail sends a person. The page is configured, whatever a request said of hosts, and the token
 * stands behind `#`, which browsers send to no server, so that it reaches no log on the way.
 */
export function urlOfLink(link: Pick<MailedLink, 'purpose' | 'id'>): string {
  return `${PURPOSES[link.purpose].page()}#token=${tokenOfLink(link)}`
}
