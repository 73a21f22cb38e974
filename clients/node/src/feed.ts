import { setTimeout as sleep } from 'node:timers/promises'
import type { Answers, Change } from './answers.js'
import type { Clock } from './clock.js'
import { Connection } from './connection.js'

/**
 * Entries of one answer.
 */
const LIMIT = 1000

/**
 * Milliseconds until the feed is asked again: after entries, so that many ends are few answers, and
 * after failures.
 */
const AFTER_ENTRIES = 50
const RETRY = { first: 50, longest: 1000 }

/**
 * Follows Latchkey's feed of revocations and forgets what it tells to.
 *
 * Answers may be used while it `isCurrent`: the last request that read the feed to its end began less
 * than the stated staleness ago, so whatever ended before it began is forgotten. A node, a network or
 * a process that stands still makes that time pass, and nothing else needs to be noticed.
 */
export class Feed {
  readonly #connection: Connection
  readonly #stopped = new AbortController()
  #cursor: string | null = null
  #readAt = Number.NEGATIVE_INFINITY
  #isBehind = false
  #told = false
  #failures = 0

  constructor(
    private readonly options: {
      url: string
      authorization: string
      maxStalenessMs: number
      onProblem: (message: string) => void
    },
    private readonly answers: Answers,
    private readonly clock: Clock
  ) {
    this.#connection = new Connection(options.url, 1)
    void this.#run()
  }

  isCurrent(now: number): boolean {
    return now - this.#readAt < this.options.maxStalenessMs
  }

  close(): void {
    this.#stopped.abort()
    this.#connection.close()
  }

  async #run() {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const problem = await this.#poll().catch((error: Error) => error.message)
      if (signal.aborted) return
      if (problem === null) {
        this.#failures = 0
        if (this.#told) await pause(AFTER_ENTRIES, signal)
        continue
      }
      this.#failures++
      if (this.#failures === 3) this.options.onProblem(problemWith(problem))
      const longest = Math.min(RETRY.first * 2 ** (this.#failures - 1), RETRY.longest)
      await pause(longest * (0.5 + Math.random() / 2), signal)
    }
  }

  /**
   * Two waits fit into the staleness: an answer is as old as its request, and is needed until the
   * next one. Returns what went wrong.
   */
  async #poll(): Promise<string | null> {
    const began = this.clock.now()
    const start = this.#cursor === null
    const wait = start || this.#isBehind ? 0 : (this.options.maxStalenessMs / 1000) * 0.4
    const place = start ? 'now' : encodeURIComponent(this.#cursor!)
    const { status, body } = await this.#connection.ask({
      method: 'GET',
      path: `/api/v1/revocations?after=${place}&limit=${LIMIT}${wait ? `&wait=${Math.min(wait, 30)}` : ''}`,
      headers: { authorization: this.options.authorization },
      timeoutMs: Math.min(wait, 30) * 1000 + Math.max(this.options.maxStalenessMs * 0.2, 500),
    })
    if (!start && (status === 410 || status === 422)) {
      this.#readAt = Number.NEGATIVE_INFINITY
      this.#cursor = null
      return null
    }
    if (status !== 200) return `HTTP ${status}`
    const { revocations, cursor } = (JSON.parse(body) as { data: Page }).data
    if (start) this.answers.apply({})
    for (const entry of revocations) this.answers.apply(entry)
    this.#cursor = cursor
    this.#isBehind = revocations.length >= LIMIT
    this.#told = revocations.length > 0 && !this.#isBehind
    if (!this.#isBehind) this.#readAt = began
    return null
  }
}

type Page = { revocations: Change[]; cursor: string }

/**
 * Ends early, without an error, when the guard is closed.
 */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {})
}

function problemWith(problem: string): string {
  const advice = /^HTTP 40[13]/.test(problem)
    ? 'Check clientId and clientSecret, and that the service client has the ability feed.'
    : 'It is tried again.'
  return `The feed of revocations can not be read (${problem}). Until it can, every request asks Latchkey. ${advice}`
}
