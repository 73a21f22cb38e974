import { createRequire } from 'node:module'
import { BlockList, isIP } from 'node:net'
import string from '@adonisjs/core/helpers/string'
import { Secret } from '@adonisjs/core/helpers'
import { Info } from 'luxon'
import { readPostgresUrl } from '#app/database/postgres_url'

/**
 * How often something may happen: `count` times in `windowMs` milliseconds.
 */
export type RateLimit = { count: number; windowMs: number }

type Rule<Value> = (name: string, value?: string) => Value

/**
 * Says in one line which variable is wrong, what it holds and what it may hold.
 */
function refuse(name: string, value: string, allowed: string): never {
  throw new Error(`${name}=${JSON.stringify(value)} is not allowed. Allowed: ${allowed}.`)
}

/**
 * Ends the program before it began, with a line that says what is wrong.
 */
export function stop(line: string): never {
  process.stderr.write(`${line}\n`)
  process.exit(1)
}

/**
 * Milliseconds of a duration such as `30s`, `15m`, `1h` or `30d`; undefined when it is not one, or none
 * at all (`0s`).
 */
export function parseDuration(value: string): number | undefined {
  if (!/^(?!0+\D)\d{1,9}(ms|s|m|h|d|w)$/.test(value)) return undefined
  return string.milliseconds.parse(value)
}

/**
 * A duration in milliseconds. `0` is allowed where `zero` says what it means.
 */
export function duration(fallback: string, options: { zero?: string } = {}): Rule<number> {
  const allowed = `a duration such as 30s, 15m, 1h or 30d${options.zero ? `, or 0 (${options.zero})` : ''}`
  return (name, value = fallback) => {
    if (value.trim() === '') value = fallback
    if (value === '0' && options.zero) return 0
    const milliseconds = parseDuration(value)
    if (!milliseconds) return refuse(name, value, allowed)
    return milliseconds
  }
}

/**
 * A duration in milliseconds, or `off` (0).
 */
export function durationOrOff(fallback: string): Rule<number> {
  return (name, value = fallback) => {
    if (value.trim() === '') value = fallback
    if (value === 'off') return 0
    return parseDuration(value) ?? refuse(name, value, 'a duration such as 15m or 1h, or off')
  }
}

/**
 * A duration in milliseconds; null when absent.
 */
export function optionalDuration(): Rule<number | null> {
  const rule = duration('')
  return (name, value = '') => (value.trim() === '' ? null : rule(name, value))
}

/**
 * A whole number within bounds.
 */
export function whole(
  fallback: number,
  { min, max, note }: { min: number; max: number; note?: string }
): Rule<number> {
  return (name, value = '') => {
    if (value.trim() === '') return fallback
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= min && number <= max)) {
      return refuse(name, value, `a whole number from ${min} to ${max}${note ? ` (${note})` : ''}`)
    }
    return number
  }
}

/**
 * One of a few words.
 */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  fallback: Word
): Rule<Word> {
  return (name, value = '') => {
    if (value.trim() === '') return fallback
    const word = words.find((candidate) => candidate === value)
    return word ?? refuse(name, value, words.join(' | '))
  }
}

/**
 * One of a few words; null when absent (for undefined, `env.get` would fall back to the raw text of
 * the variable).
 */
export function optionalOneOf<const Word extends string>(
  words: readonly Word[]
): Rule<Word | null> {
  const rule = oneOf(words, words[0])
  return (name, value = '') => (value.trim() === '' ? null : rule(name, value))
}

/**
 * Free text, with a default.
 */
export function text(fallback: string): Rule<string> {
  return (_, value = '') => (value.trim() === '' ? fallback : value)
}

/**
 * A secret that never shows in a message. `min` is its least length in characters.
 */
export function secret(options: { min: number; hint: string }): Rule<Secret<string>> {
  return (name, value = '') => {
    if (value.trim() === '') throw new Error(`${name} is missing. ${options.hint}`)
    return readSecret(name, value, options)
  }
}

/**
 * A secret that may be absent.
 */
export function optionalSecret(options: { min: number }): Rule<Secret<string> | undefined> {
  return (name, value = '') => {
    if (value.trim() === '') return undefined
    return readSecret(name, value, { ...options, hint: 'Use a longer one.' })
  }
}

function readSecret(name: string, value: string, { min, hint }: { min: number; hint: string }) {
  if (value.length < min) throw new Error(`${name} is shorter than ${min} characters. ${hint}`)
  return new Secret(value)
}

/**
 * What Standard Webhooks sign with: 24 to 64 random bytes in base64 after `whsec_`. It may be absent.
 */
export function signingSecret(): Rule<Secret<string> | undefined> {
  return (name, value = '') => {
    if (value.trim() === '') return undefined
    const base64 = value.replace(/^whsec_/, '')
    const bytes = Buffer.from(base64, 'base64')
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || bytes.length < 24 || bytes.length > 64) {
      throw new Error(
        `${name} is not allowed. Allowed: whsec_ and 24 to 64 random bytes in base64. Make one with: echo whsec_$(openssl rand -base64 32)`
      )
    }
    return new Secret(`whsec_${bytes.toString('base64')}`)
  }
}

/**
 * An absolute URL of one of the given protocols, without slashes at its end unless it is to be taken
 * exactly as it is; undefined when absent.
 */
export function url(
  protocols: string[],
  options: { secret?: boolean; exact?: boolean } = {}
): Rule<string | undefined> {
  const allowed = `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
  return (name, value = '') => {
    if (value.trim() === '') return undefined
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      return refuse(name, options.secret ? '…' : value, allowed)
    }
    return options.exact ? value : value.replace(/\/+$/, '')
  }
}

/**
 * A database that is not ours. `timeZone` is that of dates in it that name none.
 */
export type LegacyDatabase = { url: string; timeZone: string }

/**
 * The address of the old system's database, which may hold a password; null when absent.
 * `?timezone=Europe/Berlin` or `+02:00` says in which zone it writes dates that name none.
 */
export function legacyDatabase(): Rule<LegacyDatabase | null> {
  return (name, value = '') => {
    if (value.trim() === '') return null
    const [, zone = 'utc'] = /[?&]timezone=([^&]+)/.exec(value) ?? []
    const timeZone = zone.replace('%2F', '/').replace('%2B', '+')
    const address = value.replace(/([?&])timezone=[^&]*&?/, '$1').replace(/[?&]$/, '')
    const [, client] = /^(sqlite:|postgres(?:ql)?:\/\/|mysql:\/\/)\S/.exec(address) ?? []
    if (!client || !URL.canParse(address) || !Info.normalizeZone(timeZone).isValid) {
      return refuse(
        name,
        '…',
        'sqlite:PATH, postgres://… or mysql://…, with ?timezone= such as Europe/Berlin or +02:00 where its dates name none and are not UTC'
      )
    }
    if (client === 'mysql://' && !isInstalled('mysql2')) {
      throw new Error(`${name} is a MySQL database, which needs a package: npm install mysql2`)
    }
    return { url: address, timeZone }
  }
}

function isInstalled(name: string): boolean {
  try {
    return Boolean(createRequire(import.meta.url).resolve(name))
  } catch {
    return false
  }
}

/**
 * The URL of a PostgreSQL server as libpq reads it; undefined when absent. Its message says what is
 * wrong, and quotes nothing of it.
 */
export function postgresUrl(): Rule<string | undefined> {
  return (name, value = '') => {
    if (value.trim() === '') return undefined
    try {
      readPostgresUrl(value)
    } catch (error) {
      throw new Error(`${name} is not allowed: ${(error as Error).message}.`)
    }
    return value.trim()
  }
}

/**
 * The name of a table, with its schema where it has one.
 */
export function tableName(): Rule<string> {
  return (name, value = '') =>
    /^(?:[A-Za-z_]\w{0,62}(?:\.[A-Za-z_]\w{0,62})?)?$/.test(value.trim())
      ? value.trim()
      : refuse(name, value, 'a name such as personal_access_tokens or auth.tokens')
}

/**
 * What an API key may be allowed, in words. `*` is none: it stands for the whole list.
 */
export function abilities(fallback: string): Rule<string[]> {
  return (name, value = '') => {
    const words = (value.trim() || fallback).split(',').map((word) => word.trim())
    if (words.length <= 50 && words.every((word) => /^[a-z0-9][a-z0-9:._-]{0,63}$/.test(word))) {
      return [...new Set(words)]
    }
    return refuse(
      name,
      value,
      'up to 50 words such as account:read,orders:write, each of 1 to 64 of a-z 0-9 : . _ -'
    )
  }
}

/**
 * Limits by platform: `ios=1,android=1,web=2`.
 */
export function platformLimits(): Rule<Record<string, number>> {
  return (name, value = '') => {
    const limits: Record<string, number> = Object.create(null)
    for (const part of value.split(',').map((piece) => piece.trim())) {
      if (part === '') continue
      const [, platform, count] = /^([a-z0-9][a-z0-9._-]{0,31})=([1-9]\d{0,3})$/.exec(part) ?? []
      if (!platform || platform in limits) {
        return refuse(
          name,
          value,
          'platform=count pairs such as ios=1,android=1,web=2, each platform once'
        )
      }
      limits[platform] = Number(count)
    }
    return limits
  }
}

/**
 * A rate limit: `COUNT/DURATION`, or `off` (null: for undefined, `env.get` would fall back to the
 * raw text of the variable).
 */
export function rateLimit(fallback: string): Rule<RateLimit | null> {
  return (name, value = fallback) => {
    if (value.trim() === '') value = fallback
    if (value === 'off') return null
    const [, count, window] = /^([1-9]\d{0,6})\/(\w+)$/.exec(value) ?? []
    const windowMs = window ? parseDuration(window) : undefined
    if (!count || !windowMs || windowMs < 1000) {
      return refuse(name, value, 'COUNT/DURATION such as 10/1m, or off')
    }
    return { count: Number(count), windowMs }
  }
}

/**
 * A point in time in ISO 8601; undefined when absent.
 */
export function instant(): Rule<Date | undefined> {
  return (name, value = '') => {
    if (value.trim() === '') return undefined
    const time = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(value)
      ? Date.parse(value)
      : Number.NaN
    if (Number.isNaN(time))
      return refuse(name, value, 'a date such as 2027-01-31 or 2027-01-31T12:00:00Z')
    return new Date(time)
  }
}

/**
 * Signature algorithms of JWTs, RFC 7518 §3.1; never `none`.
 */
export function jwtAlgorithms(fallback: string): Rule<string[]> {
  const known = /^((HS|RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/
  return (name, value = '') => {
    const words = (value.trim() || fallback).split(',').map((word) => word.trim())
    if (words.every((word) => known.test(word))) return words
    return refuse(
      name,
      value,
      'a comma-separated list of HS256, RS256, PS256, ES256, EdDSA and their kin'
    )
  }
}

/**
 * Which peers may speak for the client's address (`X-Forwarded-For`).
 */
export function trustProxy(): Rule<boolean | string> {
  const names = ['loopback', 'linklocal', 'uniquelocal']
  const allowed = `off, all, or a comma-separated list of ${names.join(', ')}, addresses and CIDR ranges`
  return (name, value = '') => {
    if (['', 'off', 'false', '0'].includes(value.trim())) return false
    if (['all', 'true'].includes(value)) return true
    for (const part of value.split(',').map((piece) => piece.trim())) {
      if (!names.includes(part) && !isAddressRange(part)) return refuse(name, value, allowed)
    }
    return value.replaceAll(' ', '')
  }
}

function isAddressRange(value: string): boolean {
  const [address, prefix, rest] = value.split('/')
  const family = isIP(address)
  if (family === 0 || rest !== undefined) return false
  if (prefix === undefined) return true
  if (!/^\d{1,3}$/.test(prefix)) return false
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
    return true
  } catch {
    return false
  }
}
