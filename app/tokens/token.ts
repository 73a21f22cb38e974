import { hash, hkdfSync, randomBytes } from 'node:crypto'
import { appKey } from '#config/app'

/**
 * The kinds of opaque credentials and how each begins. The prefix lets secret scanners find a
 * leaked one, and refuses the wrong kind without a look at the database.
 */
const TOKEN_PREFIXES = { access: 'oat_', refresh: 'ort_', api_key: 'oak_' } as const

export type TokenKind = keyof typeof TOKEN_PREFIXES

/**
 * 32 bytes in base64url, without padding.
 */
const SECRET = /^[A-Za-z0-9_-]{43}$/

/**
 * A new credential with 256 bits of randomness. The value is shown once and never stored.
 */
export function mintToken(kind: TokenKind): string {
  return formatToken(kind, randomBytes(32))
}

/**
 * A credential of the given kind around a 32-byte secret.
 */
export function formatToken(kind: TokenKind, secret: Buffer): string {
  return TOKEN_PREFIXES[kind] + secret.toString('base64url')
}

/**
 * The kind that a value claims to be; undefined when it can't be one of ours.
 */
export function tokenKind(value: string): TokenKind | undefined {
  for (const kind of Object.keys(TOKEN_PREFIXES) as TokenKind[]) {
    const prefix = TOKEN_PREFIXES[kind]
    if (value.startsWith(prefix) && SECRET.test(value.slice(prefix.length))) return kind
  }
  return undefined
}

/**
 * What the database knows of a credential: SHA-256 of the whole value, in hex. The secret has 256
 * bits, so a fast hash is enough, and one value has one hash.
 */
export function hashToken(value: string): string {
  return hash('sha256', value, 'hex')
}

/**
 * A key for one purpose alone, from `APP_KEY`, which the nodes share.
 */
export function derivedKey(purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', appKey.release(), '', purpose, 32))
}
