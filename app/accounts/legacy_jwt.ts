import { readFile } from 'node:fs/promises'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose'
import clock from '#app/clock'
import { keepHash, type LegacyCredential } from '#app/accounts/legacy_credential'
import { hashToken } from '#app/tokens/token'
import legacyJwtConfig, { type LegacyJwtConfig } from '#config/legacy_jwt'
import { E_UNAVAILABLE } from '#exceptions/errors'

let keySet: { source: string; keys: JWTVerifyGetKey } | undefined

/**
 * Reads a JWT of the old system; null when it is not to be believed, or the door is closed. The
 * algorithm must be one of the list, and shared secrets and public keys are kept apart, so that a public
 * key can't pass for a secret (RFC 8725 §3.1, §2.1). Throws `E_UNAVAILABLE` when the keys can't be had
 * just now.
 */
export async function readLegacyJwt(jwt: string): Promise<LegacyCredential | null> {
  const { until, user: by, userClaim } = legacyJwtConfig
  if (!until || !by || clock.now() >= until) return null
  const payload = await verify(jwt, legacyJwtConfig)
  const handle = payload?.[userClaim]
  /** A larger number, as JSON reads it, is also that of other users. */
  const names = typeof handle === 'string' || Number.isSafeInteger(handle)
  if (!payload || !names || isUnverified(payload)) return null

  /** A hash of what was signed, so no other spelling of the same token has another. */
  const signed = jwt.slice(0, jwt.lastIndexOf('.'))
  const hash = hashToken(signed)
  const issuedAt = instantOf(payload.iat)
  return {
    user: String(handle),
    by,
    issuedAt,
    /** `auth_time` is that of OpenID Connect Core §2. */
    authenticatedAt: instantOf(payload.auth_time) ?? issuedAt,
    spend: (trx, user) =>
      keepHash(trx, 'exchanged_jwts', { hash, user_id: user.id, exchanged_at: clock.now() }),
  }
}

function instantOf(seconds: unknown): Date | null {
  return typeof seconds === 'number' ? new Date(seconds * 1000) : null
}

/**
 * Whether the old system says itself that nobody proved to hold the e-mail (OpenID Connect Core
 * §5.1): anybody could have signed up there with it. Some systems write the boolean as text.
 */
function isUnverified({ email_verified: verified }: JWTPayload): boolean {
  return verified !== undefined && verified !== true && verified !== 'true'
}

async function verify(jwt: string, config: LegacyJwtConfig): Promise<JWTPayload | null> {
  const shared = config.algorithms.filter((name) => name.startsWith('HS'))
  const asymmetric = config.algorithms.filter((name) => !name.startsWith('HS'))
  const options = {
    issuer: config.issuer,
    audience: config.audience,
    currentDate: clock.now(),
  }
  if (config.secret && shared.length > 0) {
    const secret = new TextEncoder().encode(config.secret)
    const payload = await believed(jwtVerify(jwt, secret, { ...options, algorithms: shared }))
    if (payload) return payload
  }
  if (config.jwks && asymmetric.length > 0) {
    const keys = await keysAt(config.jwks)
    return believed(jwtVerify(jwt, keys, { ...options, algorithms: asymmetric }))
  }
  return null
}

/**
 * The claims of a token that passed. A key that can't be used is a fault of the configuration and no
 * verdict on the token.
 */
async function believed(verification: Promise<{ payload: JWTPayload }>) {
  try {
    const { payload } = await verification
    return payload
  } catch (error) {
    if (error instanceof TypeError) throw new E_UNAVAILABLE({ cause: error })
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

/**
 * What a key set says of a token. Everything else that it throws says that the keys are not to be had
 * just now: the server is silent, answers with an error, or with something that is no key set.
 */
const VERDICTS = [
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
  errors.JOSENotSupported,
]

async function keysAt(source: string): Promise<JWTVerifyGetKey> {
  if (keySet?.source !== source) {
    const find = await readKeySet(source).catch(unavailable)
    const keys: JWTVerifyGetKey = (header, token) =>
      Promise.resolve(find(header, token)).catch((error) => {
        if (VERDICTS.some((verdict) => error instanceof verdict)) throw error
        return unavailable(error)
      })
    keySet = { source, keys }
  }
  return keySet.keys
}

async function readKeySet(source: string): Promise<JWTVerifyGetKey> {
  return /^https?:/.test(source)
    ? createRemoteJWKSet(new URL(source), { timeoutDuration: 3000 })
    : createLocalJWKSet(JSON.parse(await readFile(source, 'utf8')))
}

function unavailable(cause: unknown): never {
  throw new E_UNAVAILABLE({ retryAfter: 5, cause })
}
