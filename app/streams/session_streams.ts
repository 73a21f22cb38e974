import { registerOpenStreams } from '#app/metrics/metrics'
import type { ServerResponse } from 'node:http'
import app from '@adonisjs/core/services/app'
import { eventTail } from '#app/event_log/tail/tail'
import { networkOf } from '#app/network'
import { SessionStream, type StreamOpener } from '#app/streams/session_stream'
import { refusalOf, verifyHash } from '#app/token_verification/verify_token'
import { E_TOO_MANY_REQUESTS, E_UNAVAILABLE } from '#exceptions/errors'
import type { LoggedEvent } from '#app/event_log/read'

/**
 * Streams of one session at once: several tabs share one.
 */
const PER_SESSION = 10

/**
 * Streams of one network on one node: sign-ups are cheap, so a limit of each session alone is none.
 */
const PER_NETWORK = 200

/**
 * Streams of one node, so that its memory is bounded.
 */
const PER_NODE = 10_000

/**
 * How often streams are asked what is due, in milliseconds.
 */
const PULSE_EVERY = 1_000

/**
 * All streams of this process, and who of them is to hear what.
 */
export class SessionStreams {
  readonly #all = new Set<SessionStream>()
  readonly #bySession = new Map<string, Set<SessionStream>>()
  readonly #byUser = new Map<number, Set<SessionStream>>()
  readonly #byNetwork = new Map<string, Set<SessionStream>>()
  readonly #perNetwork: number
  #leaveTail?: Promise<() => void>
  #pulse?: NodeJS.Timeout
  #closing = false

  constructor(perNetwork = PER_NETWORK) {
    this.#perNetwork = perNetwork
  }

  /**
   * Streams that are open.
   */
  get size(): number {
    return this.#all.size
  }

  /**
   * Opens a stream of a session on a response whose headers are not sent, with these headers. It
   * listens first and then looks again whether the token lives, so that an end between the check
   * of the request and this moment is told too.
   *
   * Throws what a check of the token would, `E_TOO_MANY_REQUESTS` where the session or the network has
   * as many streams as it may, `E_UNAVAILABLE` where the node has as many or is about to stop, and
   * whatever the database throws.
   */
  async open(
    opener: StreamOpener,
    response: ServerResponse,
    headers: Record<string, string>,
    ip: string
  ): Promise<void> {
    if (this.#closing || this.#all.size >= PER_NODE) throw new E_UNAVAILABLE({ retryAfter: 5 })
    const ofSession = this.#bySession.get(opener.session.id)
    if (ofSession && ofSession.size >= PER_SESSION) throw new E_TOO_MANY_REQUESTS(30)
    const network = networkOf(ip)
    const ofNetwork = this.#byNetwork.get(network)
    if (ofNetwork && ofNetwork.size >= this.#perNetwork) throw new E_TOO_MANY_REQUESTS(30)

    const stream = new SessionStream(opener, response)
    this.#add(stream, network)
    try {
      await this.#listen()
      const verdict = await verifyHash(opener.hash)
      if (verdict.type !== 'live') throw refusalOf(verdict)
    } catch (error) {
      this.#remove(stream, network)
      throw error
    }
    response.once('close', () => this.#remove(stream, network))
    if (response.destroyed) return this.#remove(stream, network)
    if (this.#closing) throw new E_UNAVAILABLE()
    stream.begin(headers)
  }

  /**
   * Has the streams of a session look at once whether their tokens live.
   */
  recheck(sessionId: string): void {
    for (const stream of this.#bySession.get(sessionId) ?? []) stream.recheck()
  }

  /**
   * Closes every stream and lets no more be opened: devices go to another node.
   */
  closeAll(): void {
    this.#closing = true
    for (const stream of this.#all) stream.close()
  }

  #heard(events: LoggedEvent[]) {
    for (const event of events) {
      const { type, sessionId, userId } = event
      if (type === 'session.ended' || type === 'tokens.replaced') {
        this.recheck(sessionId!)
      } else if (type === 'session.opened') {
        for (const stream of this.#byUser.get(userId!) ?? []) stream.noteOpened(event)
      } else if (userId !== null) {
        for (const stream of this.#byUser.get(userId) ?? []) stream.recheck()
      } else if (type === 'force_logout' || type === 'watermark') this.#recheckAll()
    }
  }

  #recheckAll() {
    for (const stream of this.#all) stream.recheck()
  }

  /**
   * Follows the log from the first stream to the last.
   */
  async #listen() {
    this.#pulse ??= setInterval(() => {
      for (const stream of this.#all) stream.pulse()
    }, PULSE_EVERY).unref()
    const listener = {
      heard: (events: LoggedEvent[]) => this.#heard(events),
      missed: () => this.#recheckAll(),
    }
    const joined = (this.#leaveTail ??= eventTail.listen(listener))
    try {
      await joined
    } catch (error) {
      if (this.#leaveTail === joined) this.#leaveTail = undefined
      throw error
    }
    await eventTail.ready()
  }

  #add(stream: SessionStream, network: string) {
    const { id, userId } = stream.session
    this.#all.add(stream)
    put(this.#bySession, id, stream)
    put(this.#byUser, userId, stream)
    put(this.#byNetwork, network, stream)
  }

  #remove(stream: SessionStream, network: string) {
    const { id, userId } = stream.session
    if (!this.#all.delete(stream)) return
    take(this.#bySession, id, stream)
    take(this.#byUser, userId, stream)
    take(this.#byNetwork, network, stream)
    if (this.#all.size > 0) return
    clearInterval(this.#pulse)
    this.#pulse = undefined
    this.#leaveTail?.then(
      (leave) => leave(),
      () => {}
    )
    this.#leaveTail = undefined
  }
}

function put<Key>(map: Map<Key, Set<SessionStream>>, key: Key, stream: SessionStream) {
  const streams = map.get(key)
  if (streams) streams.add(stream)
  else map.set(key, new Set([stream]))
}

function take<Key>(map: Map<Key, Set<SessionStream>>, key: Key, stream: SessionStream) {
  const streams = map.get(key)
  streams?.delete(stream)
  if (streams?.size === 0) map.delete(key)
}

/**
 * The streams of this process.
 */
export const sessionStreams = new SessionStreams()
registerOpenStreams(() => sessionStreams.size)

/**
 * The server waits for open answers when it stops: hooks run in reverse order, so this one, which
 * is registered after the server's, ends them first.
 */
app.terminating(() => sessionStreams.closeAll())
