import logger from '@adonisjs/core/services/logger'
import { BoundedCache } from '#app/bounded_cache'
import clock from '#app/clock'
import { rateLimitCounter } from '#app/rate_limits/counter'
import { ApiError } from '#exceptions/api_error'
import { E_GUESSABLE_PASSWORD, E_TOO_MANY_REQUESTS } from '#exceptions/errors'
import type { RateLimit } from '#start/env_rules'
import { createHmac } from 'node:crypto'
import { appKey } from '#config/app'
import type { LimitedWork } from '#config/rate_limits'

/**
 * How many times as much a bucket holds that many people share (a network, or an account as seen
 * from everywhere) as that of one account from one network.
 */
export const SHARED = 10

/**
 * One count that an attempt is held against. `overruled` says, once the bucket is full, whether
 * this attempt may pass all the same. With `countsSuccess` work that went well keeps its unit.
 */
export type Bucket = {
  key: string
  times: number
  overruled?: () => Promise<boolean>
  countsSuccess?: boolean
}

/**
 * A bucket of some work, under a key that tells neither account, token nor address: a hash keyed
 * with `APP_KEY`, the same on every node.
 */
export function bucketOf(
  work: LimitedWork | 'forgot',
  scope: 'account_here' | 'account' | 'network',
  parts: string[],
  { times = 1, overruled, countsSuccess }: Partial<Omit<Bucket, 'key'>> = {}
): Bucket {
  const hash = createHmac('sha256', appKey.release())
    .update(JSON.stringify(['rate limit', work, scope, ...parts]))
    .digest('base64url')
  return { key: `${work}:${scope}:${hash}`, times, overruled, countsSuccess }
}

/**
 * Until when (Unix epoch, milliseconds) buckets are full, as far as this process has found out.
 * More are full at once only when somebody has thousands of networks.
 */
const fullUntil = new BoundedCache<string, number>(10_000)

/**
 * A unit that was taken of a bucket. `full`: it was one too many. `until`: when the window ends.
 */
type Taken = { bucket: Bucket; full: boolean; until: number }

/**
 * Runs work that takes one unit of every bucket before it begins, and gives them back unless the
 * work was a failed guess: so of many at once no more than the limit are ever tried. Work that was
 * refused for another reason (a session limit, a disabled account) or broke down is no guess. Work
 * that went well keeps its units only where `countsToo` says so of its result. No limit: the work
 * runs at once, and `buckets` is not called.
 *
 * Throws `E_TOO_MANY_REQUESTS` when a bucket is full, what the work throws, and whatever the
 * database throws when the buckets can't be asked.
 */
export function attempt<Result>(
  limit: RateLimit | null,
  buckets: () => Bucket[],
  work: () => Promise<Result>,
  countsToo: (result: Result) => boolean = () => false
): Promise<Result> {
  return attemptGuess(limit, buckets, async () => {}, work, countsToo)
}

/**
 * The same for work that begins with a guess which takes long and changes nothing, such as the
 * check of a password: it runs while the units are taken, and its outcome is dropped when a bucket
 * turns out to be full. After that, until the bucket is free again, this process begins no guess
 * that is not admitted.
 */
export async function attemptGuess<Guess, Result>(
  limit: RateLimit | null,
  buckets: () => Bucket[],
  guess: () => Promise<Guess>,
  work: (guess: Guess) => Promise<Result>,
  countsToo: (result: Result) => boolean = () => false
): Promise<Result> {
  if (!limit) return work(await guess())
  const asked = buckets()
  const ahead = asked.some(({ key }) => isFull(key)) ? undefined : guess()
  ahead?.catch(() => {})
  const taken = await takeAll(limit, asked)
  try {
    const result = await work(await (ahead ?? guess()))
    if (!countsToo(result)) giveBack(taken.filter(({ bucket }) => !bucket.countsSuccess))
    return result
  } catch (error) {
    if (!isFailedGuess(error)) giveBack(taken)
    throw error
  }
}

/**
 * A unit of every bucket, or `E_TOO_MANY_REQUESTS` and none. Those that were full are asked first:
 * what they refuse writes no row for the others, whatever names a stranger makes up.
 */
async function takeAll(limit: RateLimit, asked: Bucket[]): Promise<Taken[]> {
  const full = asked.filter(({ key }) => isFull(key))
  const others = asked.filter((bucket) => !full.includes(bucket))
  const taken: Taken[] = []
  for (const group of [full, others]) {
    if (group.length === 0) continue
    /** Asked for in one tick, so that they go in one statement. */
    const more = await Promise.all(group.map((bucket) => take(limit, bucket)))
    taken.push(...more)
    const refusal = await refusalOf(more)
    if (!refusal) continue
    giveBack(taken)
    const seconds = Math.ceil((refusal.until - clock.millis()) / 1000)
    throw new E_TOO_MANY_REQUESTS(Math.max(seconds, 1))
  }
  return taken
}

function isFull(key: string): boolean {
  return clock.millis() < (fullUntil.get(key) ?? 0)
}

async function take(limit: RateLimit, bucket: Bucket): Promise<Taken> {
  const { points, expire } = await rateLimitCounter.take(bucket.key, 1, limit.windowMs)
  const full = points > limit.count * bucket.times
  if (full) fullUntil.set(bucket.key, expire)
  return { bucket, full, until: expire }
}

/**
 * The full bucket that is free again last, of those that nothing overrules.
 */
async function refusalOf(taken: Taken[]): Promise<Taken | undefined> {
  const refusing: Taken[] = []
  for (const one of taken) {
    if (one.full && !(await one.bucket.overruled?.())) refusing.push(one)
  }
  return refusing.sort((one, other) => other.until - one.until)[0]
}

/**
 * Behind the answer. A window that is over is left alone: its units must not come off the next
 * one. Units that can't be given back for now only make the limit stricter for the rest of the
 * window.
 */
function giveBack(taken: Taken[]): void {
  for (const { bucket, until } of taken) {
    if (clock.millis() >= until) continue
    rateLimitCounter
      .giveBack(bucket.key, 1)
      .catch((error: { code?: string }) =>
        logger.warn({ code: error.code }, 'A unit of a rate limit was not given back.')
      )
  }
}

function isFailedGuess(error: unknown): boolean {
  if (error instanceof E_GUESSABLE_PASSWORD) return false
  return error instanceof ApiError && [400, 401, 422].includes(error.status)
}
