import { Clock } from './clock.js'
import { Connection, type Answer } from './connection.js'
import { allows, readIdentity, type Identity } from './identity.js'
import { Memory } from './memory.js'
import { seconds, type GuardOptions, type Requirements, type Wanted } from './options.js'
import type { Presented } from './presented.js'
import { forbidden, passedOn, UNAVAILABLE, type Refusal } from './refusals.js'

/**
 * Either whom a request speaks for, or what its client is told.
 */
export type Outcome = { identity: Identity } | { refusal: Refusal }

/**
 * How many connections there are for questions about requests.
 */
const CONNECTIONS = 32

/**
 * Decides about requests. Every refusal is Latchkey's own, to this very request: what is remembered
 * only ever says yes.
 */
export class Guard {
  readonly #connection: Connection
  readonly #timeoutMs: number
  readonly #origin: URL | null
  readonly #onProblem: (message: string) => void
  readonly #memory: Memory | null
  #problem: string | null = null

  constructor(options: GuardOptions, clock = new Clock()) {
    this.#connection = new Connection(options.url, CONNECTIONS)
    this.#timeoutMs = seconds(options.timeout ?? '5s', 'timeout') * 1000
    this.#origin = options.origin ? new URL(options.origin) : null
    this.#onProblem = options.onProblem ?? ((message) => console.warn(`latchkey-guard: ${message}`))
    const mode = options.mode ?? 'ask'
    if (mode !== 'ask' && mode !== 'follow') {
      throw new TypeError(`mode is ${mode}: write 'ask' or 'follow'.`)
    }
    this.#memory =
      mode === 'follow'
        ? new Memory(options, this.#connection, this.#timeoutMs, clock, this.#onProblem)
        : null
  }

  /**
   * Reads what a route wants. Throws where it is nothing that can be wanted.
   */
  wanted({ fresh, abilities = [] }: Requirements = {}): Wanted {
    return {
      maxAge: fresh === undefined ? null : Math.floor(seconds(fresh, 'fresh')),
      abilities,
    }
  }

  async check(presented: Presented, wanted: Wanted): Promise<Outcome> {
    const known = this.#memory?.recall(presented, wanted)
    if (known) return { identity: known }
    const learned = this.#memory?.learn(presented)
    const outcome = await this.#ask(presented, wanted)
    void learned?.('identity' in outcome ? outcome.identity : null)
    if ('refusal' in outcome || allows(outcome.identity, wanted.abilities)) return outcome
    const scheme = /^dpop\b/i.test(presented.authorization[0]) ? 'DPoP' : 'Bearer'
    return { refusal: forbidden(scheme, wanted.abilities) }
  }

  /**
   * Ends what is open towards Latchkey.
   */
  close(): void {
    this.#memory?.close()
    this.#connection.close()
  }

  async #ask(presented: Presented, { maxAge }: Wanted): Promise<Outcome> {
    const answer = await this.#connection
      .ask({
        method: 'GET',
        path: `/forward-auth${maxAge === null ? '' : `?max_age=${maxAge}`}`,
        headers: this.#headersOf(presented),
        timeoutMs: this.#timeoutMs,
      })
      .catch((error: Error) => error)
    const outcome = outcomeOf(answer)
    this.#tell(typeof outcome === 'string' ? outcome : null)
    return typeof outcome === 'string' ? { refusal: UNAVAILABLE } : outcome
  }

  #headersOf({ authorization, dpop, userAgent, method, path }: Presented) {
    return {
      ...(authorization.length > 0 && { authorization }),
      ...(userAgent !== undefined && { 'user-agent': userAgent }),
      ...(dpop.length > 0 && { dpop }),
      ...(this.#origin && {
        'x-forwarded-method': method,
        'x-forwarded-proto': this.#origin.protocol.slice(0, -1),
        'x-forwarded-host': this.#origin.host,
        'x-forwarded-uri': path,
      }),
    } as Record<string, string | string[]>
  }

  /**
   * Says once what goes wrong, and again after it went well.
   */
  #tell(problem: string | null) {
    if (problem !== null && this.#problem === null) this.#onProblem(problem)
    this.#problem = problem
  }
}

/**
 * What an answer of forward auth means; in words where it is none of Latchkey's.
 */
function outcomeOf(answer: Answer | Error): Outcome | string {
  if (answer instanceof Error) {
    return `Latchkey does not answer, so requests are refused with 503: ${answer.message}`
  }
  if (answer.status === 401 || answer.status === 503) return { refusal: passedOn(answer) }
  const identity = answer.status === 200 ? readIdentity(answer.headers) : null
  if (identity) return { identity }
  return `What answers at /forward-auth (HTTP ${answer.status}) is not Latchkey, so requests are refused with 503: check url.`
}
