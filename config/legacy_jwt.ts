import env from '#start/env'

/**
 * How tokens of the old system are recognised while a team moves over (docs/moving_over.md).
 */
export type LegacyJwtConfig = {
  /** The shared secret of HS256, HS384 or HS512 tokens. */
  secret?: string
  /** Where the public keys of other tokens are: a file, or an http(s) URL. */
  jwks?: string
  issuer?: string
  audience?: string
  /** The algorithms that are accepted, and no others. */
  algorithms: string[]
  /** What the claim holds: the user's e-mail, id here, or id in the old system. */
  user: 'email' | 'id' | 'external' | null
  /** The claim that says who the user is. */
  userClaim: string
  /** From this moment on no old token is accepted. Without it none ever is. */
  until?: Date
}

const legacyJwtConfig: LegacyJwtConfig = {
  secret: env.get('LEGACY_JWT_SECRET')?.release(),
  jwks: env.get('LEGACY_JWT_JWKS') || undefined,
  issuer: env.get('LEGACY_JWT_ISSUER') || undefined,
  audience: env.get('LEGACY_JWT_AUDIENCE') || undefined,
  algorithms: env.get('LEGACY_JWT_ALGORITHMS'),
  user: env.get('LEGACY_JWT_USER'),
  userClaim: env.get('LEGACY_JWT_USER_CLAIM'),
  until: env.get('LEGACY_JWT_UNTIL'),
}

export default legacyJwtConfig
