import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whom a request speaks for. Frozen: requests share it.
 */
export type Identity = Readonly<{
  userId: number
  /** What another system calls the user. */
  externalId: string | null
  email: string | null
  /** False: nobody proved to hold that address, and it may be a look-alike of another. */
  emailVerified: boolean
  /** The role at Latchkey: `user` or `admin`. */
  role: string
  /** Null for an API key. */
  sessionId: string | null
  /** `*` stands for all of them. */
  abilities: readonly string[]
  /** When the user last showed who they are; null for an API key. */
  authenticatedAt: Date | null
  /** Who speaks in the user's place, such as `user:7`; null as a rule. */
  actor: string | null
}>

/**
 * What the headers of a forward auth answer say; null where they are not Latchkey's.
 */
export function readIdentity(headers: IncomingHttpHeaders): Identity | null {
  const text = (name: string) => {
    const value = headers[`x-auth-${name}`]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const id = text('user-id')
  if (id === null || !/^\d+$/.test(id) || headers['x-auth-session-id'] === undefined) return null
  const email = text('user-email')
  const time = text('time')
  return Object.freeze({
    userId: Number(id),
    externalId: decoded(text('external-id')),
    email: email && Buffer.from(email, 'latin1').toString('utf8'),
    emailVerified: text('user-email-verified') === 'true',
    role: text('user-role') ?? 'user',
    sessionId: text('session-id'),
    abilities: Object.freeze(text('abilities')?.split(' ') ?? []),
    authenticatedAt: time === null ? null : new Date(Number(time) * 1000),
    actor: text('actor'),
  })
}

/**
 * Whether a token may do what a route wants.
 */
export function allows({ abilities }: Identity, wanted: readonly string[]): boolean {
  return abilities.includes('*') || wanted.every((ability) => abilities.includes(ability))
}

function decoded(value: string | null): string | null {
  return value && decodeURIComponent(value)
}
