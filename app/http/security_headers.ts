import { appUrl } from '#config/app'

/**
 * What every answer says to browsers: it is data, no page and no script; nobody frames it, sniffs
 * it or keeps it. The few pages set their own policy over this one. HTTPS alone is promised where
 * people reach the application by HTTPS (RFC 6797 §7.2 forbids it elsewhere).
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  ...(appUrl.startsWith('https:') && {
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
  }),
}
