import { createHash } from 'node:crypto'
import {
  EmbeddedJWK,
  calculateJwkThumbprint,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWK,
} from 'jose'
import clock from '#app/clock'
import { PROOF_ALGORITHMS } from '#exceptions/challenges'

/**
 * How old a proof may be, and how far ahead its clock, in seconds.
 */
export const PROOF_MAX_AGE = 60
export const PROOF_CLOCK_TOLERANCE = 5

/**
 * How long a proof may be, in bytes, and the modulus and exponent of an RSA key in base64url: 4,096
 * and 32 bits. Larger ones cost a check of a signature so much that few of them stop a server.
 */
const LARGEST = { proof: 2048, modulus: 683, exponent: 6 }

/**
 * What is thrown because of what a proof says; a key that is none is a `DOMException`.
 */
const BY_THE_PROOF = [errors.JOSEError, TypeError, DOMException]

/**
 * What a proof must speak of: the request it came with, and the token beside it.
 */
export type ProofTarget = {
  method: string
  /** The request's URL as this service may be addressed, without query and fragment. */
  urls: string[]
  /** The access token that the proof accompanies; none when a session opens or renews. */
  accessToken?: string
}

/**
 * A proof that held: the thumbprint (RFC 7638) of the key that signed it, and its own name.
 */
export type Proof = { keyThumbprint: string; jti: string; issuedAt: Date }

/**
 * A proof that does not hold. The message says which check failed, for the client's developer.
 */
export class InvalidProof extends Error {}

/**
 * Checks a DPoP proof by the list of RFC 9449 §4.3. Whether it was seen before is for the caller
 * to find out (#app/auth/dpop/replay). Throws `InvalidProof`.
 */
export async function verifyProof(proof: string, target: ProofTarget): Promise<Proof> {
  refuseOversized(proof)
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: PROOF_ALGORITHMS,
    currentDate: clock.now(),
    maxTokenAge: PROOF_MAX_AGE,
    clockTolerance: PROOF_CLOCK_TOLERANCE,
    requiredClaims: ['jti', 'htm', 'htu', 'iat'],
  }).catch((error) => {
    if (!BY_THE_PROOF.some((type) => error instanceof type)) throw error
    throw new InvalidProof(`The proof is not valid: ${error.message}`)
  })

  const { jti, htm, htu, ath, iat } = payload
  if (typeof jti !== 'string' || jti.length < 8 || jti.length > 256) {
    throw new InvalidProof('"jti" must be a string of 8 to 256 characters')
  }
  if (htm !== target.method) throw new InvalidProof('"htm" is not the method of this request')
  if (typeof htu !== 'string' || !target.urls.includes(normalizeUrl(htu))) {
    throw new InvalidProof('"htu" is not the URL of this request')
  }
  if (target.accessToken !== undefined && ath !== hashOf(target.accessToken)) {
    throw new InvalidProof('"ath" is not the hash of the access token')
  }
  return {
    keyThumbprint: await calculateJwkThumbprint(protectedHeader.jwk as JWK),
    jti,
    issuedAt: new Date(iat! * 1000),
  }
}

/**
 * Looks at sizes alone, before any cryptography.
 */
function refuseOversized(proof: string): void {
  if (proof.length > LARGEST.proof) {
    throw new InvalidProof(`The proof is longer than ${LARGEST.proof} bytes`)
  }
  let jwk: JWK | undefined
  try {
    jwk = decodeProtectedHeader(proof).jwk
  } catch {
    throw new InvalidProof('The proof is not a JWT')
  }
  if (sizeOf(jwk?.n) > LARGEST.modulus || sizeOf(jwk?.e) > LARGEST.exponent) {
    throw new InvalidProof('The key of the proof is larger than 4,096 bits')
  }
}

function sizeOf(part: unknown): number {
  return typeof part === 'string' ? part.length : 0
}

/**
 * A URL in the form in which two spellings of one address are equal, without query and fragment,
 * RFC 9449 §4.3 and RFC 3986 §6.2.2. What is no URL stays as it is and matches nothing.
 */
export function normalizeUrl(value: string): string {
  if (!URL.canParse(value)) return value
  const url = new URL(value)
  return url.origin + url.pathname
}

/**
 * `ath`: the SHA-256 of the access token's ASCII form in base64url, RFC 9449 §4.2.
 */
function hashOf(accessToken: string): string {
  return createHash('sha256').update(accessToken, 'ascii').digest('base64url')
}
