import string from '@adonisjs/core/helpers/string'
import { LimiterResponse, errors } from '@adonisjs/limiter'
import type { LimiterConsumptionOptions, LimiterStoreContract } from '@adonisjs/limiter/types'
import clock from '#app/clock'
import { ledger, type Entry } from '#app/rate_limits/counter'

/**
 * The ledger as a store of `@adonisjs/limiter`. Keys that are consumed in one tick go together in
 * one statement.
 */
export class LedgerStore implements LimiterStoreContract {
  readonly name = 'database'
  readonly requests: number
  /** In seconds. */
  readonly duration: number
  /** In seconds. */
  readonly blockDuration: number

  constructor(options: LimiterConsumptionOptions) {
    this.requests = options.requests
    this.duration = string.seconds.parse(options.duration)
    this.blockDuration = options.blockDuration ? string.seconds.parse(options.blockDuration) : 0
  }

  /**
   * Throws the package's `E_TOO_MANY_REQUESTS` when more is used up than `requests`; the units
   * count all the same.
   */
  async consume(key: string | number, amount = 1): Promise<LimiterResponse> {
    const response = await this.increment(key, amount)
    if (response.consumed > this.requests) throw new errors.E_TOO_MANY_REQUESTS(response)
    return response
  }

  async increment(key: string | number, amount = 1): Promise<LimiterResponse> {
    const entry = await ledger.take(String(key), Math.max(amount, 1), this.duration * 1000)
    return this.#respond(entry)
  }

  async decrement(key: string | number, amount = 1): Promise<LimiterResponse> {
    return this.#respond(await ledger.giveBack(String(key), Math.max(amount, 1)))
  }

  async block(key: string | number, duration: string | number): Promise<LimiterResponse> {
    return this.set(key, this.requests + 1, duration)
  }

  async set(
    key: string | number,
    requests: number,
    duration: string | number = this.duration
  ): Promise<LimiterResponse> {
    const windowMs = string.seconds.parse(duration) * 1000
    return this.#respond(await ledger.write(String(key), requests, windowMs))
  }

  async get(key: string | number): Promise<LimiterResponse | null> {
    const entry = await ledger.read(String(key))
    return entry && this.#respond(entry)
  }

  delete(key: string | number): Promise<boolean> {
    return ledger.forget(String(key))
  }

  /**
   * The ledger keeps the limits of every kind of work in one table, so there is nothing that may
   * be emptied for one of them.
   */
  async clear(): Promise<void> {
    throw new Error('The ledger is shared by all limits: delete keys one by one.')
  }

  #respond({ points, expire }: Entry): LimiterResponse {
    return new LimiterResponse({
      limit: this.requests,
      remaining: Math.max(this.requests - points, 0),
      consumed: points,
      availableIn: Math.max(Math.ceil((expire - clock.millis()) / 1000), 0),
    })
  }
}
