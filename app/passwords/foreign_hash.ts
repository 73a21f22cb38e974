import { createCipheriv, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Argon } from '@adonisjs/core/hash/drivers/argon'

/*
 * Hashes of passwords as other systems make them. The hash queue verifies them (#app/passwords/passwords)
 * until the first sign-in replaces them by Argon2id. This file imports packages alone: the process that hashes
 * (#app/passwords/argon2_worker_process) reads it as it stands.
 */

/**
 * The framework's Argon2 driver, which also verifies hashes of other systems. It makes none of them.
 */
export class PasswordDriver extends Argon {
  override async verify(hashed: string, plain: string): Promise<boolean> {
    return (await readHash(hashed)?.verify(plain)) ?? false
  }

  override needsReHash(hashed: string): boolean {
    return !this.isValidHash(hashed) || super.needsReHash(hashed)
  }
}

/**
 * What a hash is made by. Within one family, time grows with `work`.
 */
export type Family = 'argon2' | 'bcrypt' | 'scrypt' | 'pbkdf2-sha256' | 'pbkdf2-sha512'

export type ForeignHash = {
  family: Family
  /** Steps of the family; how long one takes is in `STEPS_A_SECOND`. */
  work: number
  /** Bytes of memory that it takes. */
  memory: number
  verify: (plain: string) => Promise<boolean>
  /** Hashes of nobody's password that together take so many steps, made as this one is. */
  decoys: (work: number) => string[]
}

/**
 * Steps that a core of the slower kind does in a second: passes over a KiB, rounds of the key
 * schedule, blocks of N·r·p, iterations.
 */
const STEPS_A_SECOND: Record<Family, number> = {
  'argon2': 2 ** 20,
  'bcrypt': 2 ** 13,
  'scrypt': 2 ** 21,
  'pbkdf2-sha256': 2_000_000,
  'pbkdf2-sha512': 1_000_000,
}

const MOST_MEMORY = 256 * 1024 * 1024

/** What fits a row, and the longest form with its parameters. */
const LONGEST = 512

/**
 * Why a hash is not taken over, in words for who imports it. Undefined: it is, and costs at most one
 * second and 256 MiB.
 */
export function refusalOf(text: string): string | undefined {
  const hash = readHash(text)
  if (!hash) return 'is not a hash in one of the known forms'
  if (hash.memory > MOST_MEMORY) return 'would take more than 256 MiB of memory'
  if (hash.work > STEPS_A_SECOND[hash.family]) return 'would take more than a second'
  return undefined
}

/**
 * The hash that a text stands for; null when it is in no known form.
 */
export function readHash(text: string): ForeignHash | null {
  if (text.length > LONGEST) return null
  for (const read of [readArgon2, readBcrypt, readScrypt, readFirebase, readDjango, readPbkdf2]) {
    const hash = read(text)
    if (hash) return hash
  }
  return null
}

const B64 = '([A-Za-z0-9+/]+={0,2})'

function readArgon2(text: string): ForeignHash | null {
  const form =
    /^\$(argon2(?:id|i|d))\$((?:v=\d+\$)?)([mtp=\d,]+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
  const [, variant, version, list, salt, digest] = form.exec(text) ?? []
  if (!variant || !['', 'v=16$', 'v=19$'].includes(version)) return null
  const { m, t, p, ...rest } = numbersOf(list)
  if (!m || !t || !p || p > 255 || m < 8 * p || Object.keys(rest).length > 0) return null
  if (bytes(salt) < 8 || bytes(digest) < 12) return null
  return {
    family: 'argon2',
    work: m * t,
    memory: m * 1024,
    async verify(plain) {
      const argon2 = await import('argon2')
      return argon2.verify(text, plain)
    },
    decoys(work) {
      const passes = Math.round(work / m)
      if (passes < 1) return []
      const [random, other] = [randomBytes(16), randomBytes(32)].map(unpadded)
      return [`$${variant}$v=19$m=${m},t=${passes},p=${p}$${random}$${other}`]
    },
  }
}

/**
 * `$2y` is what PHP calls `$2b`. bcrypt reads 72 bytes and no more, so systems that have it cut the
 * password there, and so is it here; in C a NUL ended it before that, which must not make the rest of a
 * password worth nothing.
 */
function readBcrypt(text: string): ForeignHash | null {
  const form = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31})$/
  const [, cost, rest] = form.exec(fromAdonis(text)) ?? []
  if (!cost || Number(cost) < LEAST_COST || Number(cost) > 31) return null
  return {
    family: 'bcrypt',
    work: 2 ** Number(cost),
    memory: 4096,
    async verify(plain) {
      const { default: bcrypt } = await import('bcrypt')
      const key = Buffer.from(plain).subarray(0, 72)
      const matches = await bcrypt.compare(key, `$2b$${cost}$${rest}`)
      return matches && !plain.includes('\0')
    },
    /** Costs are powers of two: those of which the work is the sum. */
    decoys(work) {
      const costs = Array.from({ length: 32 }, (_, one) => one).slice(LEAST_COST)
      return costs
        .filter((one) => Math.floor(work / 2 ** one) % 2 === 1)
        .map((one) => `$2b$${String(one).padStart(2, '0')}$${bcryptText(21)}.${bcryptText(31)}`)
    },
  }
}

const LEAST_COST = 4

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BCRYPT64 = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * AdonisJS writes bcrypt in the PHC string format, with the common alphabet of base64.
 */
function fromAdonis(text: string): string {
  const form = /^\$bcrypt\$(?:v=9[78]\$)?r=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{31})$/
  const [, cost, salt, digest] = form.exec(text) ?? []
  if (!cost) return text
  const rest = [...(salt + digest)].map((letter) => BCRYPT64[BASE64.indexOf(letter)])
  return `$2b$${cost.padStart(2, '0')}$${rest.join('')}`
}

/** AdonisJS writes `n=16384`, the PHC string format `ln=14`. */
function readScrypt(text: string): ForeignHash | null {
  const [, list, salt, digest] =
    new RegExp(`^\\$scrypt\\$([a-z=\\d,]+)\\$${B64}\\$${B64}$`).exec(text) ?? []
  if (!list) return null
  const { n, ln, r, p, ...rest } = numbersOf(list)
  const cost = n ?? 2 ** (ln ?? 0)
  if ((n && ln) || !r || !p || Object.keys(rest).length > 0 || bytes(digest) < 16) return null
  const expected = Buffer.from(digest, 'base64')
  return scryptHash({ cost, r, p }, (derive, plain) =>
    derive(plain, Buffer.from(salt, 'base64'), expected.length).then((key) => same(key, expected))
  )
}

/**
 * Firebase's: the key that scrypt derives encrypts the signer key of the project, and what comes out
 * is the hash (https://github.com/firebase/scrypt).
 */
function readFirebase(text: string): ForeignHash | null {
  const form =
    /^\$firebase-scrypt\$ln=(\d+),r=(\d+),ss=([\w+/=-]*),sk=([\w+/=-]+)\$([\w+/=-]+)\$([\w+/=-]+)$/
  const [, ln, r, separator, signer, salt, digest] = form.exec(text) ?? []
  if (!ln) return null
  const [fullSalt, signerKey, expected] = [
    Buffer.concat([Buffer.from(salt, 'base64'), Buffer.from(separator, 'base64')]),
    Buffer.from(signer, 'base64'),
    Buffer.from(digest, 'base64'),
  ]
  if (signerKey.length < 16 || expected.length !== signerKey.length) return null
  return scryptHash({ cost: 2 ** Number(ln), r: Number(r), p: 1 }, async (derive, plain) => {
    const key = await derive(plain, fullSalt, 32)
    const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
    return same(Buffer.concat([cipher.update(signerKey), cipher.final()]), expected)
  })
}

type Derive = (plain: string, salt: Buffer, length: number) => Promise<Buffer>

function scryptHash(
  { cost, r, p }: { cost: number; r: number; p: number },
  matches: (derive: Derive, plain: string) => Promise<boolean>
): ForeignHash | null {
  if (cost < 2 || !Number.isInteger(Math.log2(cost)) || r < 1 || p < 1) return null
  const memory = 128 * cost * r
  const derive: Derive = (plain, salt, length) =>
    promisify<string, Buffer, number, object, Buffer>(scrypt)(plain, salt, length, {
      N: cost,
      r,
      p,
      maxmem: 2 * memory + 256 * r * p + 1024 * 1024,
    })
  return {
    family: 'scrypt',
    work: cost * r * p,
    memory,
    verify: (plain) => matches(derive, plain),
    decoys(work) {
      const times = Math.round(work / (cost * r))
      if (times < 1) return []
      const [random, other] = [randomBytes(16), randomBytes(64)].map(unpadded)
      return [`$scrypt$n=${cost},r=${r},p=${times}$${random}$${other}`]
    },
  }
}

/** Django's salt is text and goes in as it is. */
function readDjango(text: string): ForeignHash | null {
  const [, rounds, salt, digest] =
    /^pbkdf2_sha256\$([1-9]\d{0,9})\$([^$\s]{1,128})\$([A-Za-z0-9+/]{43}=)$/.exec(text) ?? []
  if (!rounds) return null
  return pbkdf2Hash('sha256', Number(rounds), Buffer.from(salt), Buffer.from(digest, 'base64'))
}

function readPbkdf2(text: string): ForeignHash | null {
  const form = new RegExp(
    `^\\$pbkdf2-(sha256|sha512)\\$i=([1-9]\\d{0,9})(?:,l=\\d+)?\\$${B64}\\$${B64}$`
  )
  const [, digest, rounds, salt, key] = form.exec(text) ?? []
  if (!digest || bytes(key) < 16) return null
  return pbkdf2Hash(
    digest as 'sha256' | 'sha512',
    Number(rounds),
    Buffer.from(salt, 'base64'),
    Buffer.from(key, 'base64')
  )
}

function pbkdf2Hash(
  digest: 'sha256' | 'sha512',
  rounds: number,
  salt: Buffer,
  expected: Buffer
): ForeignHash {
  const block = digest === 'sha256' ? 32 : 64
  return {
    family: `pbkdf2-${digest}`,
    /** Each block of the key takes all the rounds. */
    work: rounds * Math.ceil(expected.length / block),
    memory: 0,
    async verify(plain) {
      const key = await promisify(pbkdf2)(plain, salt, rounds, expected.length, digest)
      return same(key, expected)
    },
    decoys(work) {
      if (work < 1) return []
      const [random, other] = [randomBytes(16), randomBytes(block)].map(unpadded)
      return [`$pbkdf2-${digest}$i=${Math.round(work)}$${random}$${other}`]
    },
  }
}

function numbersOf(list: string): Record<string, number | undefined> {
  const pairs = list.split(',').map((pair) => /^([a-z]+)=([1-9]\d{0,9})$/.exec(pair))
  if (pairs.some((pair) => !pair)) return { invalid: 1 }
  return Object.fromEntries(pairs.map((pair) => [pair![1], Number(pair![2])]))
}

function same(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

function bytes(base64: string): number {
  return Buffer.from(base64, 'base64').length
}

function unpadded(data: Buffer): string {
  return data.toString('base64').replaceAll('=', '')
}

/** So many characters of bcrypt's alphabet. */
function bcryptText(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length).replaceAll('+', '.')
}
