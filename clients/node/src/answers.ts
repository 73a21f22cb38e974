import type { Identity } from './identity.js'

/**
 * An answer of Latchkey about a token, as long as it may be used. Instants are milliseconds of the
 * guard's clock.
 */
export type KnownAnswer = {
  token: string
  /** Latchkey may bind a session to its user agent, so an answer is about one of them. */
  userAgent: string | undefined
  identity: Identity
  /** From here on Latchkey is told of the use, and asked again. */
  renewAt: number
  /** From here on the answer is not used. */
  staleAt: number
  /** When the user last showed who they are, on this clock. */
  authenticatedAt: number
}

/**
 * What an entry of the feed says has changed: a session, a user with everything that is theirs, or
 * everything.
 */
export type Change = { sessionId?: string | null; userId?: number | null }

/**
 * A question that is under way: what it is told may be older than a change that the feed tells
 * meanwhile.
 */
export type Question = { readonly since: number }

/**
 * The answers that are known, found by token, session and user, and the changes that questions under
 * way must be held against.
 */
export class Answers {
  readonly #byToken = new Map<string, KnownAnswer>()
  readonly #bySession = new Map<string, Set<KnownAnswer>>()
  readonly #byUser = new Map<number, Set<KnownAnswer>>()
  readonly #underWay = new Set<Question>()
  readonly #most: number

  /** Changes since the oldest question under way, and how many came before those. */
  #changes: Change[] = []
  #forgotten = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#byToken.size
  }

  get(token: string): KnownAnswer | undefined {
    return this.#byToken.get(token)
  }

  /**
   * Call it before Latchkey is asked, and `end` in any case.
   */
  begin(): Question {
    const question = { since: this.#forgotten + this.#changes.length }
    this.#underWay.add(question)
    return question
  }

  end(question: Question): void {
    this.#underWay.delete(question)
    const [oldest] = this.#underWay
    const needless = oldest ? oldest.since - this.#forgotten : this.#changes.length
    if (needless === 0) return
    this.#changes.splice(0, needless)
    this.#forgotten += needless
  }

  /**
   * Keeps an answer unless a change that concerns it arrived since it was asked for.
   */
  keep(answer: KnownAnswer, { since }: Question): void {
    const came = this.#changes.slice(since - this.#forgotten)
    if (came.some((change) => concerns(change, answer.identity))) return
    this.forget(answer.token)
    if (this.#byToken.size >= this.#most) this.forget(this.#byToken.keys().next().value!)
    this.#byToken.set(answer.token, answer)
    const { sessionId, userId } = answer.identity
    if (sessionId !== null) addTo(this.#bySession, sessionId, answer)
    addTo(this.#byUser, userId, answer)
  }

  forget(token: string): void {
    const answer = this.#byToken.get(token)
    if (!answer) return
    this.#byToken.delete(token)
    const { sessionId, userId } = answer.identity
    if (sessionId !== null) removeFrom(this.#bySession, sessionId, answer)
    removeFrom(this.#byUser, userId, answer)
  }

  /**
   * Forgets what a change concerns, answers under way included.
   */
  apply(change: Change): void {
    if (this.#underWay.size > 0) this.#changes.push(change)
    const { sessionId, userId } = change
    const concerned = sessionId
      ? this.#bySession.get(sessionId)
      : typeof userId === 'number'
        ? this.#byUser.get(userId)
        : this.#byToken.values()
    for (const { token } of [...(concerned ?? [])]) this.forget(token)
  }
}

/**
 * The same as `apply` finds. An entry that names no session concerns its user, one that names neither
 * everybody: so do those of kinds that are not known yet.
 */
function concerns({ sessionId, userId }: Change, identity: Identity): boolean {
  if (sessionId) return identity.sessionId === sessionId
  return typeof userId !== 'number' || identity.userId === userId
}

function addTo<Key>(index: Map<Key, Set<KnownAnswer>>, key: Key, answer: KnownAnswer): void {
  const answers = index.get(key)
  if (answers) answers.add(answer)
  else index.set(key, new Set([answer]))
}

function removeFrom<Key>(index: Map<Key, Set<KnownAnswer>>, key: Key, answer: KnownAnswer): void {
  const answers = index.get(key)!
  answers.delete(answer)
  if (answers.size === 0) index.delete(key)
}
