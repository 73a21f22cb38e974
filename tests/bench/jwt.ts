import { jwtVerify, SignJWT } from 'jose'
import env from '#start/env'

/**
 * Imported once, as a service that cares for its speed does: from raw bytes `jose` would import it
 * again for every token.
 */
const key = await crypto.subtle.importKey(
  'raw',
  new TextEncoder().encode(env.get('APP_KEY').release()),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['sign', 'verify']
)

const ISSUER = 'bench'

export function signJwt(user: { id: number; email: string }): Promise<string> {
  return new SignJWT({ email: user.email })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setSubject(String(user.id))
    .setExpirationTime('24h')
    .sign(key)
}

/**
 * The user that a stateless token names. Throws when it is not one of ours or past its time.
 */
export async function verifyJwt(token: string): Promise<{ id: number; email: string }> {
  const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], issuer: ISSUER })
  return { id: Number(payload.sub), email: String(payload.email) }
}
