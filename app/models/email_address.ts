import { domainToASCII } from 'node:url'

/**
 * Neither controls and line breaks, which would write headers of their own into a mail, nor what shows
 * as nothing, nor half of a surrogate pair, which is no character.
 */
const REFUSED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}\s]/u

/**
 * ASCII that is in no domain. `domainToASCII` reads a URL, where `/`, `?`, `#`, `\` and `:` end the
 * host and `%` hides any other character.
 */
const NOT_IN_DOMAIN = /[^\w.\-\P{ASCII}]/u

/**
 * The one normal form of an e-mail address, by which accounts are told apart: composed characters
 * (NFC), case folded, the domain in ASCII (IDNA). Null when it has none: no address, or one with
 * controls. Every place that reads an address, from a request or a terminal, asks this.
 */
export function normalizeEmail(given: string): string | null {
  const address = given.trim()
  const at = address.lastIndexOf('@')
  if (at < 1 || REFUSED.test(address)) return null
  const host = address.slice(at + 1).normalize('NFC')
  const domain = NOT_IN_DOMAIN.test(host) ? '' : domainToASCII(host)
  if (!domain) return null
  return `${foldCase(address.slice(0, at))}@${domain}`
}

/**
 * Unicode's full case folding (CaseFolding.txt, C and F): lower, upper and lower case again, so that
 * `ß`, `ẞ` and `SS` meet; each character by itself, so that a sigma is final nowhere; and without the
 * dotless `ı`, which is no `i`. NFC again, because a change of case can take a character apart.
 */
function foldCase(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[^ı]/gu, (letter) => letter.toLowerCase().toUpperCase().toLowerCase())
    .normalize('NFC')
}

/**
 * The spelling under which an account may have been kept before there was a normal form.
 */
export function oldSpelling(given: string): string {
  return given.trim().toLowerCase()
}

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
