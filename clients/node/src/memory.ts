import { Answers, type Question } from './answers.js'
import type { Clock } from './clock.js'
import type { Connection } from './connection.js'
import { Feed } from './feed.js'
import { allows, type Identity } from './identity.js'
import { seconds, type GuardOptions, type Wanted } from './options.js'
import { bearerToken, type Presented } from './presented.js'

/**
 * Seconds by which what Latchkey's `Date` says may be off: it is rounded, as its instants are.
 */
const ROUNDING = 2

/**
 * What Latchkey told of live tokens, usable as long as the feed is followed.
 */
export class Memory {
  readonly #answers: Answers
  readonly #feed: Feed
  readonly #authorization: string
  readonly #maxAgeMs: number

  /** Tokens that Latchkey is being asked about, so that it is asked once. */
  readonly #asked = new Set<string>()

  constructor(
    options: GuardOptions,
    private readonly connection: Connection,
    private readonly timeoutMs: number,
    private readonly clock: Clock,
    private readonly onProblem: (message: string) => void
  ) {
    const { url, clientId, clientSecret } = options
    if (!clientId || !clientSecret) {
      throw new TypeError(
        'The mode follow needs clientId and clientSecret: node ace client:create NAME --abilities=introspect,feed'
      )
    }
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
    const maxStalenessMs = seconds(options.maxStaleness ?? '5s', 'maxStaleness') * 1000
    this.#authorization = authorization
    this.#maxAgeMs = seconds(options.maxAge ?? '2m', 'maxAge') * 1000
    this.#answers = new Answers(options.maxAnswers ?? 100_000)
    this.#feed = new Feed({ url, authorization, maxStalenessMs, onProblem }, this.#answers, clock)
  }

  /**
   * Whom a request speaks for, where that is known and all that the route wants is true. Late in the
   * time of an answer Latchkey is told of the use and asked again, behind the request.
   */
  recall(presented: Presented, { maxAge, abilities }: Wanted): Identity | null {
    const token = bearerToken(presented)
    const answer = token === null ? undefined : this.#answers.get(token)
    if (!answer || answer.userAgent !== presented.userAgent) return null
    const now = this.clock.now()
    if (now >= answer.staleAt || !this.#feed.isCurrent(now)) return null
    if (maxAge !== null && !(now - answer.authenticatedAt < maxAge * 1000)) return null
    if (!allows(answer.identity, abilities)) return null
    if (now >= answer.renewAt) void this.#renew(answer.token)
    return answer.identity
  }

  /**
   * Call it before Latchkey is asked about a request, and what it returns with the answer.
   */
  learn(presented: Presented): (identity: Identity | null) => Promise<void> {
    const token = bearerToken(presented)
    const { userAgent } = presented
    if (token === null || !this.#feed.isCurrent(this.clock.now())) return async () => {}
    const settle = this.#begin(token)
    return async (identity) =>
      settle?.(async (question) => {
        if (!identity) return this.#answers.forget(token)
        const told = await this.#introspect(token, { used: false })
        if (told) this.#answers.keep({ token, userAgent, identity, ...told }, question)
      })
  }

  close(): void {
    this.#feed.close()
  }

  async #renew(token: string) {
    await this.#begin(token)?.(async (question) => {
      const told = await this.#introspect(token, { used: true })
      const answer = this.#answers.get(token)
      if (!answer) return
      if (told && isSame(answer.identity, told))
        this.#answers.keep({ ...answer, ...told }, question)
      else this.#answers.forget(token)
    })
  }

  /**
   * Begins a question about a token, unless there is one: null then. What fails leaves things as they
   * are: an answer that is not renewed grows too old.
   */
  #begin(token: string): ((work: (question: Question) => unknown) => Promise<void>) | null {
    if (this.#asked.has(token)) return null
    this.#asked.add(token)
    const question = this.#answers.begin()
    return async (work) => {
      try {
        await work(question)
      } catch (error) {
        this.onProblem(
          `A token can not be introspected, so Latchkey is asked about each of its requests: ${(error as Error).message}`
        )
      } finally {
        this.#answers.end(question)
        this.#asked.delete(token)
      }
    }
  }

  /**
   * How long an answer about a live token may be used; null for a dead one. Everything is counted
   * from before the question, and rounded against us.
   */
  async #introspect(token: string, { used }: { used: boolean }): Promise<Told | null> {
    const asked = this.clock.now()
    const { status, headers, body } = await this.connection.ask({
      method: 'POST',
      path: '/oauth/introspect',
      headers: {
        'authorization': this.#authorization,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, ...(used && { used: 'true' }) }).toString(),
      timeoutMs: this.timeoutMs,
    })
    if (status !== 200) throw new Error(`HTTP ${status}: ${body.slice(0, 200)}`)
    const told = JSON.parse(body) as Introspection
    if (told.active !== true || told.token_type !== 'Bearer') return null
    const date = Date.parse(headers.date ?? '') / 1000
    const now = Number.isNaN(date) ? Date.now() / 1000 : date
    const leftMs = told.exp === undefined ? Infinity : (told.exp - now - ROUNDING) * 1000
    const usableMs = Math.min(leftMs, this.#maxAgeMs)
    const sinceMs =
      told.auth_time === undefined ? Infinity : (now - told.auth_time + ROUNDING) * 1000
    return {
      renewAt: asked + usableMs / 2,
      staleAt: asked + usableMs,
      authenticatedAt: asked - sinceMs,
      scope: told.scope ?? '',
      authTime: told.auth_time ?? null,
      externalId: told.external_id ?? null,
      emailVerified: told.email_verified === true,
    }
  }
}

type Told = {
  renewAt: number
  staleAt: number
  authenticatedAt: number
  scope: string
  authTime: number | null
  externalId: string | null
  emailVerified: boolean
}

/**
 * What is read of an introspection, RFC 7662 §2.2.
 */
type Introspection = {
  active: boolean
  token_type?: string
  exp?: number
  auth_time?: number
  scope?: string
  external_id?: string
  email_verified?: boolean
}

/**
 * Whether what was told of a token is what is known of it.
 */
function isSame(identity: Identity, told: Told): boolean {
  const { abilities, authenticatedAt, externalId, emailVerified } = identity
  const known = authenticatedAt === null ? null : authenticatedAt.getTime() / 1000
  return (
    abilities.join(' ') === told.scope &&
    known === told.authTime &&
    externalId === told.externalId &&
    emailVerified === told.emailVerified
  )
}
