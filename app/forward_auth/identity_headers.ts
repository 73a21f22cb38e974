import type { TokenRecord } from '#app/token_verification/token_lookup'

/**
 * Who a request speaks for, as headers for the backend behind a proxy. All of them are always there,
 * empty where there is nothing to say (an API key has no session), so that a proxy that copies them
 * always overwrites what a client sent under these names.
 */
export function identityHeaders({ user, session, abilities }: TokenRecord): Record<string, string> {
  return {
    'X-Auth-User-Id': String(user.id),
    'X-Auth-User-Email': headerText(user.email),
    'X-Auth-User-Email-Verified': String(user.isEmailVerified),
    'X-Auth-Session-Id': session?.id ?? '',
    'X-Auth-Abilities': headerText(abilities.join(' ')),
  }
}

/**
 * Text as a header can carry it: without control characters, in UTF-8 (obs-text, RFC 9110 §5.5).
 */
function headerText(text: string): string {
  const safe = text.replace(/\p{Cc}/gu, '')
  return Buffer.from(safe, 'utf8').toString('latin1')
}
