import type { TokenRecord } from '#app/token_verification/token_lookup'

/**
 * The headers that say who a request speaks for.
 */
export const IDENTITY_HEADERS = [
  'X-Auth-User-Id',
  'X-Auth-External-Id',
  'X-Auth-User-Email',
  'X-Auth-User-Email-Verified',
  'X-Auth-User-Role',
  'X-Auth-Session-Id',
  'X-Auth-Abilities',
  'X-Auth-Time',
  'X-Auth-Actor',
] as const

/**
 * Who a request speaks for, for the backend behind a proxy. All headers are always there, empty
 * where there is nothing to say (an API key has no session), so that a proxy that copies them always
 * overwrites what a client sent under these names. Nobody speaks for somebody else yet, so there is
 * no actor.
 */
export function identityHeaders({
  user,
  session,
  abilities,
}: TokenRecord): Record<(typeof IDENTITY_HEADERS)[number], string> {
  return {
    'X-Auth-User-Id': String(user.id),
    'X-Auth-External-Id': encodeURIComponent(user.externalId ?? ''),
    'X-Auth-User-Email': headerText(user.email ?? ''),
    'X-Auth-User-Email-Verified': String(user.isEmailVerified),
    'X-Auth-User-Role': user.role,
    'X-Auth-Session-Id': session?.id ?? '',
    'X-Auth-Abilities': abilities.join(' '),
    'X-Auth-Time': session ? String(Math.floor(session.authenticatedAt.getTime() / 1000)) : '',
    'X-Auth-Actor': '',
  }
}

/**
 * Text as a header can carry it: without control characters, in UTF-8 (obs-text, RFC 9110 §5.5).
 */
function headerText(text: string): string {
  const safe = text.replace(/\p{Cc}/gu, '')
  return Buffer.from(safe, 'utf8').toString('latin1')
}
