import clock from '#app/clock'
import logger from '@adonisjs/core/services/logger'
import limiter from '@adonisjs/limiter/services/main'
import { errors as limiterErrors, type LimiterResponse } from '@adonisjs/limiter'
import type { Bucket } from '#app/rate_limits/buckets'
import { FullBuckets } from '#app/rate_limits/full_buckets'
import { ApiError } from '#exceptions/api_error'
import { E_TOO_MANY_REQUESTS } from '#exceptions/errors'
import type { RateLimit } from '#start/env_rules'

/**
 * When an attempt keeps what it took: when it `failed`; whether it failed or not (`always`); or
 * when it failed or its result says so.
 */
export type Keeps<Result> = 'failed' | 'always' | ((result: Result) => boolean)

const fullBuckets = new FullBuckets()

type Held = { bucket: Bucket; response: LimiterResponse; full: boolean; until: number }

/**
 * Runs work that takes one unit of every bucket before it begins, and gives them back unless the
 * work was a failed guess: so of many at once no more than the limit are ever tried. Work that
 * went well, was refused for another reason (a limit, a disabled account) or broke down is no
 * guess.
 *
 * Throws `E_TOO_MANY_REQUESTS` when a bucket is full, what the work throws, and whatever the
 * database throws when the buckets can't be asked.
 */
export function attempt<Result>(
  limit: RateLimit,
  buckets: Bucket[],
  keeps: Keeps<Result>,
  work: () => Promise<Result>
): Promise<Result> {
  return attemptGuess(limit, buckets, keeps, async () => {}, work)
}

/**
 * The same for work that begins with a guess which takes long and changes nothing: it is looked
 * into while the units are taken, and what comes of it is dropped when a bucket turns out to be
 * full. After that, until the bucket is free again, this node looks into no guess that is not
 * admitted.
 */
export async function attemptGuess<Guess, Result>(
  limit: RateLimit,
  buckets: Bucket[],
  keeps: Keeps<Result>,
  guess: () => Promise<Guess>,
  work: (guess: Guess) => Promise<Result>
): Promise<Result> {
  const ahead = buckets.some(({ key }) => fullBuckets.has(key)) ? undefined : guess()
  ahead?.catch(() => {})
  const held = await takeAll(limit, buckets)
  const refused = await refusalOf(held)
  if (refused) {
    giveBack(limit, held)
    throw new E_TOO_MANY_REQUESTS(Math.max(refused.response.availableIn, 1))
  }
  try {
    const result = await work(await (ahead ?? guess()))
    const counts = typeof keeps === 'function' ? keeps(result) : keeps === 'always'
    if (!counts) giveBack(limit, held)
    return result
  } catch (error) {
    if (!isFailedGuess(error)) giveBack(limit, held)
    throw error
  }
}

/**
 * Asked for in one tick, so that they go in one statement.
 */
function takeAll(limit: RateLimit, buckets: Bucket[]): Promise<Held[]> {
  return Promise.all(
    buckets.map(async (bucket) => {
      const { response, full } = await consume(limit, bucket)
      const until = clock.millis() + response.availableIn * 1000
      if (full) fullBuckets.add(bucket.key, until)
      return { bucket, response, full, until }
    })
  )
}

async function consume(limit: RateLimit, bucket: Bucket) {
  try {
    return { response: await limiterOf(limit, bucket).consume(bucket.key), full: false }
  } catch (error) {
    if (!(error instanceof limiterErrors.E_TOO_MANY_REQUESTS)) throw error
    return { response: error.response, full: true }
  }
}

/**
 * The full bucket that is free again last, of those that nothing overrules.
 */
async function refusalOf(held: Held[]): Promise<Held | undefined> {
  const refusing: Held[] = []
  for (const taken of held) {
    if (taken.full && !(await taken.bucket.overruled?.())) refusing.push(taken)
  }
  return refusing.sort((one, other) => other.response.availableIn - one.response.availableIn)[0]
}

/**
 * Behind the answer. A window that is over is let go: its units must not come off the next one.
 * Units that can't be given back for now only make the limit stricter for the rest of the window.
 */
function giveBack(limit: RateLimit, held: Held[]): void {
  for (const { bucket, until } of held) {
    if (clock.millis() >= until) continue
    limiterOf(limit, bucket)
      .decrement(bucket.key)
      .catch((error: { code?: string }) =>
        logger.warn({ code: error.code }, 'A unit of a rate limit was not given back.')
      )
  }
}

function limiterOf(limit: RateLimit, { times }: Bucket) {
  return limiter.use({
    requests: limit.count * times,
    duration: Math.ceil(limit.windowMs / 1000),
  })
}

function isFailedGuess(error: unknown): boolean {
  return error instanceof ApiError && [400, 401, 422].includes(error.status)
}
