import { E_GUESSABLE_PASSWORD } from '#exceptions/errors'
import env from '#start/env'

/** Below this, what a password holds besides known words is too little to be one. */
const LEAST = 8

let common: Promise<Set<string>> | undefined

/**
 * Throws `E_VALIDATION_ERROR` for a new password that an attacker tries first: one of the commonest
 * (OWASP ASVS 6.2.4), or one that is made of the product's name or the person's own address and a few
 * characters more (6.1.2, 6.2.11). Every path that sets a password by a person's choice asks this.
 */
export async function refuseGuessable(password: string, email: string | null): Promise<void> {
  const plain = fold(password)
  common ??= readCommon()
  const known = await common
  if (known.has(plain)) {
    throw new E_GUESSABLE_PASSWORD(
      'commonPassword',
      'This is one of the most common passwords, so it would be guessed first. Please choose another one.'
    )
  }
  const rest = contextWords(email).reduce((left, word) => left.replaceAll(word, ''), plain)
  if (rest.length < plain.length && charactersOf(rest) < LEAST) {
    throw new E_GUESSABLE_PASSWORD(
      'contextWord',
      'This password is made of your e-mail address or of the name of this service, so it would be guessed first. Please choose another one.'
    )
  }
}

/**
 * The words that are known to whoever knows where a person signs in, and as whom; the longest first,
 * so that a whole address goes before its parts.
 */
function contextWords(email: string | null): string[] {
  const [local = ''] = (email ?? '').split('@')
  const words = ['latchkey', env.get('APP_NAME'), email ?? '', local, ...local.split(/[._+-]+/)]
  return [...new Set(words.flatMap((word) => [fold(word), ...fold(word).split(/\s+/)]))]
    .filter((word) => word.length >= 3)
    .sort((one, other) => other.length - one.length)
}

/**
 * The 49,000 most common passwords of public breaches, those of them that are long enough to be set.
 * Read at the first use: most processes never need it.
 */
async function readCommon(): Promise<Set<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'].filter((word) => word.length >= LEAST).map(fold))
}

/** Case, width and composition of characters make no password harder to guess. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim()
}

function charactersOf(text: string): number {
  return [...text.replace(/[^\p{L}\p{N}]/gu, '')].length
}
