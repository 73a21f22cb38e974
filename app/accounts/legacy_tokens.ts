import { createHash } from 'node:crypto'
import { safeEqual } from '@adonisjs/core/helpers'
import { DateTime } from 'luxon'
import clock from '#app/clock'
import { keepHash, type LegacyCredential } from '#app/accounts/legacy_credential'
import { deleteThere } from '#app/accounts/spent_legacy_tokens'
import { afterCommit } from '#app/database/transaction'
import { findLegacyToken, type LegacyTokenRow } from '#app/accounts/legacy_token_store'
import legacyTokensConfig from '#config/legacy_tokens'

/**
 * A token as its holder shows it, taken apart: the id of its row, where it names one, and the hash of
 * its secret.
 */
type Shown = { id: string | null; hash: string }

/**
 * Reads an opaque token of the old system; null when it is not to be believed, or the door is closed.
 * What its row does not say clearly counts against it: the guards that made it take a date that they
 * can't read for one that never comes, abilities that are null for all of them, and a token of any
 * model for one of users. Throws `E_UNAVAILABLE` when the old database can't be asked just now.
 */
export async function readLegacyToken(token: string): Promise<LegacyCredential | null> {
  const { until, kind, user: by, maxAge } = legacyTokensConfig
  if (!until || !kind || !by || !maxAge || clock.now() >= until) return null
  const shown = FORMS[kind](token)
  if (!shown) return null

  const row = await findLegacyToken(shown)
  const matches = safeEqual(row?.hash ?? '', shown.hash)
  if (!row || !matches || (shown.id !== null && row.id !== shown.id)) return null
  const issuedAt = readDate(row.createdAt)
  if (!row.userId || !issuedAt || !isGood(row) || issuedAt.getTime() <= clock.millis() - maxAge) {
    return null
  }

  return {
    user: row.userId,
    by,
    issuedAt,
    authenticatedAt: issuedAt,
    spend: async (trx, user) => {
      const { hash, id } = row
      const spent = { hash, token_id: id, user_id: user.id, spent_at: clock.now() }
      const first = await keepHash(trx, 'spent_legacy_tokens', spent)
      if (first) afterCommit(trx, () => deleteThere({ hash, id }))
      return first
    },
  }
}

/**
 * How the two frameworks spell a token.
 */
const FORMS: Record<'adonis' | 'sanctum', (token: string) => Shown | null> = {
  /** `oat_`, or another prefix, then id and secret in Base64url, of which each has one spelling. */
  adonis(token) {
    const [, ...parts] = /^[\w-]*[_-]([A-Za-z0-9]+)\.([\w-]+)$/.exec(token) ?? []
    const [id, secret] = parts.map((part) => Buffer.from(part, 'base64url'))
    if (!id || !secret || [id, secret].some((bytes, at) => encoded(bytes) !== parts[at]))
      return null
    return /^[1-9]\d{0,17}$/.test(id.toString())
      ? { id: id.toString(), hash: sha256(secret) }
      : null
  },
  /** `ID|SECRET`, or the secret alone; a prefix and a checksum are parts of the secret. */
  sanctum(token) {
    const [, id = null, secret] = /^(?:([\w-]{1,64})\|)?(.+)$/s.exec(token) ?? []
    return secret ? { id, hash: sha256(secret) } : null
  },
}

const encoded = (bytes: Buffer) => bytes.toString('base64url')

const sha256 = (secret: string | Buffer) => createHash('sha256').update(secret).digest('hex')

/**
 * Whether a row is one of the right model, with all abilities, whose time has not come. One without an
 * end is bounded by its age alone.
 */
function isGood({ model, abilities, expiresAt }: LegacyTokenRow): boolean {
  const lives = expiresAt === null || (readDate(expiresAt) ?? new Date(0)) > clock.now()
  return lives && model === legacyTokensConfig.model && grantsAll(abilities)
}

function grantsAll(abilities: string | null): boolean {
  return /^\s*\[\s*"\*"\s*\]\s*$/.test(abilities ?? '')
}

const DATE =
  /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?)?$/

/**
 * The instant behind a stored date: milliseconds of the Unix epoch, or a date as SQL or ISO 8601 spell
 * it, in the configured zone where it names none; null when it is neither. A database that keeps whole
 * seconds rounds, so one without a fraction may have been half a second earlier, and is taken to be.
 */
function readDate(stored: string | null): Date | null {
  if (stored === null) return null
  if (/^\d{1,15}(?:\.0)?$/.test(stored)) return new Date(Number(stored))
  if (!DATE.test(stored)) return null
  const at = DateTime.fromSQL(stored.replace('T', ' '), { zone: legacyTokensConfig.timeZone })
  if (!at.isValid) return null
  return stored.includes('.') ? at.toJSDate() : at.minus(500).toJSDate()
}
