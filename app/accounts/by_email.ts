import { normalizeEmail, oldSpelling } from '#models/email_address'

/**
 * What in SQL chooses the account of an address: the one that is spelt exactly so, else the one that
 * holds its normal form. Accounts that collided when the normal form came keep their own spelling, and
 * each is still found by it. To be ordered so, the first row alone.
 */
export const BY_EMAIL =
  '(email = ? OR email_key = ?) ORDER BY CASE WHEN email = ? THEN 0 ELSE 1 END LIMIT 1'

/**
 * The bindings of `BY_EMAIL` for an address as a person typed it; null when it is none.
 */
export function byEmail(given: string): string[] | null {
  const key = normalizeEmail(given)
  return key === null ? null : [oldSpelling(given), key, oldSpelling(given)]
}
