import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { refuseRequest } from '#app/http/raw_http_errors'

/**
 * Requests of one connection that may be unanswered. The next one is refused; of a client that sends
 * on regardless, twice as many, the connection is cut.
 */
const MOST_UNANSWERED = 32

/**
 * What is known of a connection: the answers that it still owes, and how far they have got.
 */
type Connection = { unanswered: Set<ServerResponse>; sent: number; queued: number; since: number }

/**
 * Bounds what one connection can make a server hold: requests without an answer, and answers that
 * nobody reads. Node.js hands over every request of a packet at once, and keeps what the other side
 * does not read for as long as the connection stays.
 */
export class SocketBounds {
  readonly #connections = new Map<Socket, Connection>()

  /**
   * `unread` is how long, in milliseconds, nothing of an answer may be read; connections are looked
   * at every `lookEvery`.
   */
  constructor(server: Server, timeouts: { unread: number; lookEvery: number }) {
    server.on('connection', (socket: Socket) => this.#add(socket))
    server.once('listening', () => {
      const look = setInterval(() => this.#look(timeouts.unread), timeouts.lookEvery).unref()
      server.once('close', () => clearInterval(look))
    })
  }

  /**
   * Counts a request. False when it is one too many, and has been refused.
   */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const unanswered = this.#connections.get(socket)?.unanswered
    if (!unanswered) return true
    unanswered.add(response)
    response.once('close', () => unanswered.delete(response))
    if (unanswered.size <= MOST_UNANSWERED) return true
    if (unanswered.size === MOST_UNANSWERED + 1) refuseRequest(response, 429)
    else if (unanswered.size > 2 * MOST_UNANSWERED) socket.destroy()
    return false
  }

  #add(socket: Socket) {
    const connection = { unanswered: new Set<ServerResponse>(), sent: 0, queued: 0, since: 0 }
    this.#connections.set(socket, connection)
    socket.once('close', () => {
      this.#connections.delete(socket)
      setImmediate(() => closeAll(connection.unanswered))
    })
  }

  #look(unread: number) {
    const now = performance.now()
    for (const [socket, connection] of this.#connections) {
      if (socket.writableLength === 0) {
        connection.since = 0
        continue
      }
      const sent = socket.bytesWritten - socket.writableLength
      const queued = queuedBytes(socket)
      const moves = connection.since === 0 || sent > connection.sent || queued < connection.queued
      if (moves) Object.assign(connection, { sent, queued, since: now })
      else if (now - connection.since >= unread) socket.destroy()
    }
  }
}

/**
 * Node.js says of the answer that it was writing that its connection is gone, and nothing to those
 * that waited behind it: whoever works for them would go on.
 */
function closeAll(unanswered: Set<ServerResponse>) {
  for (const response of unanswered) {
    response.destroy()
    response.emit('close')
  }
}

/**
 * Bytes of the current write that the operating system has not taken, so that a large answer that is
 * read slowly counts as read.
 *
 * Internal of Node.js: `_handle.writeQueueSize`, by which its own `socket.setTimeout` decides the
 * same; that one also counts what the client sends, so a client could keep it going.
 * `socketsTellTheirQueue` checks that (#app/internals).
 */
function queuedBytes(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize: number } | null }
  return handle?.writeQueueSize ?? 0
}

export function socketsTellTheirQueue(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer((socket) => {
    const { _handle: handle } = socket as { _handle?: { writeQueueSize?: unknown } }
    resolve(typeof handle?.writeQueueSize === 'number')
    socket.destroy()
    server.close()
  })
  server.once('error', () => resolve(false))
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    connect(port, '127.0.0.1').on('error', () => {})
  })
  return promise
}
