import type { ServerResponse } from 'node:http'
import { checkSession } from '#app/token_verification/session_check'
import clock from '#app/clock'
import type { LoggedEvent } from '#app/event_log/read'
import { useSession } from '#app/sessions/last_seen'
import type { TokenRecord } from '#app/token_verification/token_lookup'
import { refusalOf, verifyHash, type Verdict } from '#app/token_verification/verify_token'
import type { Session } from '#app/sessions/session'
import { idleTimeout } from '#config/sessions'

/**
 * How often a comment shows that the stream is alive, in milliseconds.
 */
const COMMENT_EVERY = 15_000

/**
 * How often an open stream counts as a use of its session, at most, in milliseconds.
 */
const USE_EVERY = 60_000

/**
 * How often a stream looks whether its token lives though nobody said otherwise, in milliseconds.
 */
const LOOK_EVERY = 5_000

/**
 * Bytes that may wait for a reader before it is dropped.
 */
const LARGEST_BACKLOG = 64 * 1024

/**
 * How long a closed stream may take to send what was written, in milliseconds, before its connection
 * is destroyed.
 */
const FLUSH_TIME_MS = 5_000

/**
 * What a client waits before it connects again, in milliseconds.
 */
const RECONNECT_AFTER = 2_000

/**
 * The session to follow, and the token by which: a stream lives as long as the token that opened
 * it, or whoever had a copy of that would go on listening once it is worth nothing.
 */
export type StreamOpener = Pick<TokenRecord, 'hash' | 'expiresAt'> & { session: Session }

/**
 * The stream of server-sent events of one session to one device.
 *
 * Hints of the log only have it look: what it says is what the database says at that moment, word
 * for word what a request with its token would be told.
 */
export class SessionStream {
  readonly session: Session
  readonly #tokenHash: string
  readonly #diesAt: number
  readonly #response: ServerResponse
  readonly #newcomers = new Map<string, LoggedEvent>()
  #begun = false
  #over = false
  #checking = false
  #checkAgain = false
  #commentAt = 0
  #useAt = 0
  #lookAt = 0

  constructor({ session, hash, expiresAt }: StreamOpener, response: ServerResponse) {
    this.session = session
    this.#tokenHash = hash
    this.#diesAt = Math.min(Number(expiresAt ?? Infinity), session.expiresAt.getTime())
    this.#response = response
  }

  /**
   * Sends the head of the answer, with `headers`, and begins the stream.
   */
  begin(headers: Record<string, string>): void {
    this.#response.writeHead(200, headers)
    const now = clock.millis()
    this.#begun = true
    this.#commentAt = now
    this.#useAt = now + useEvery()
    this.#lookAt = now + LOOK_EVERY
    this.#write(`retry: ${RECONNECT_AFTER}\n\n`)
    this.pulse()
    if (this.#checkAgain) this.recheck()
  }

  /**
   * What is due by the clock: a comment, a note that the session is in use, a check of its token.
   */
  pulse(): void {
    if (!this.#begun || this.#over) return
    const now = clock.millis()
    if (now >= this.#commentAt) {
      this.#commentAt = now + COMMENT_EVERY
      this.#write(': here\n\n')
    }
    if (now >= this.#useAt) {
      this.#useAt = now + useEvery()
      this.#use(now)
    }
    if (this.#checkAgain || now >= this.#lookAt || now >= this.#diesAt) this.recheck()
  }

  /**
   * Another session of the same user was opened.
   */
  noteOpened(newcomer: LoggedEvent): void {
    if (newcomer.sessionId === null || newcomer.sessionId === this.session.id) return
    this.#newcomers.set(newcomer.sessionId, newcomer)
    this.recheck()
  }

  /**
   * Looks whether the token lives: tells what became of it and closes, or tells of newcomers. What
   * can't be found out now is looked for again at the next pulse.
   */
  recheck(): void {
    this.#checkAgain = true
    this.#lookAt = clock.millis() + LOOK_EVERY
    if (this.#begun && !this.#checking && !this.#over) void this.#check()
  }

  /**
   * Closes without an event: the device connects again, to another node. A stream that has not begun is
   * answered by who opens it.
   */
  close(): void {
    if (this.#over) return
    this.#over = true
    if (!this.#begun) return
    this.#response.end()
    setTimeout(() => this.#response.destroy(), FLUSH_TIME_MS).unref()
  }

  /**
   * An open stream is a use of its session. What can't be written now is noted again at the next
   * time; whether the session lives is asked separately.
   */
  #use(now: number) {
    const noted = useSession(this.session)
    if (noted === true) return
    noted.then(
      (written) => {
        if (written) this.session.lastSeenAt = new Date(now)
      },
      () => {}
    )
  }

  async #check() {
    this.#checking = true
    try {
      while (this.#checkAgain && !this.#over) {
        this.#checkAgain = false
        const verdict = await verifyHash(this.#tokenHash)
        if (verdict.type === 'live') await this.#tellOpened()
        else this.#tellEnd(verdict)
      }
    } catch {
      this.#checkAgain = true
    } finally {
      this.#checking = false
    }
  }

  /**
   * A token that nothing explains any more gets no event: the device learns it from the 401.
   */
  #tellEnd(verdict: Dead) {
    const event = END_EVENTS[verdict.type]
    if (event) this.#tell(event, refusalOf(verdict).toBody())
    this.close()
  }

  /**
   * Tells of sessions that were opened elsewhere, if both live on.
   */
  async #tellOpened() {
    for (const [id, newcomer] of this.#newcomers) {
      const [own, end] = await Promise.all([verifyHash(this.#tokenHash), checkSession(id)])
      if (own.type !== 'live') return this.recheck()
      this.#newcomers.delete(id)
      if (end) continue
      this.#tell('session.opened', {
        session: {
          id,
          device: newcomer.data.device,
          createdAt: newcomer.occurredAt.toISOString(),
        },
      })
    }
  }

  #tell(event: string, data: unknown) {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /**
   * A reader that does not keep up is cut off, so that its backlog can't grow.
   */
  #write(text: string) {
    if (this.#over || this.#response.destroyed) return
    this.#response.write(text)
    if (this.#response.writableLength > LARGEST_BACKLOG) {
      this.#over = true
      this.#response.destroy()
    }
  }
}

type Dead = Exclude<Verdict, { type: 'live' }>

const END_EVENTS = { ended: 'session.ended', expired: 'token.expired', unknown: null } as const

function useEvery(): number {
  return Math.min(USE_EVERY, idleTimeout() / 4)
}
