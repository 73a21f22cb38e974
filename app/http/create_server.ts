import { createServer, type RequestListener, type Server } from 'node:http'
import { refuseConnection, refuseRequest } from '#app/http/raw_http_errors'
import { finishAndClose } from '#app/http/graceful_close'
import { SocketBounds } from '#app/http/socket_bounds'

/**
 * Request line and headers together, in bytes.
 */
const LARGEST_HEAD = 16 * 1024

/**
 * Beyond these the parser drops headers in silence, so a request that has as many is refused.
 */
const MOST_HEADERS = 100

/**
 * How long, in milliseconds, a client may take to send the headers, and the whole request, and how
 * long it may read nothing of an answer. Slow ones are looked for every `lookEvery`.
 */
const TIMEOUTS_MS = { headers: 10_000, request: 15_000, unread: 30_000, lookEvery: 2_000 }

/**
 * How long, in milliseconds, an idle connection stays open: longer than proxies keep theirs, or
 * they would send requests into connections that close.
 */
const IDLE_FOR = 65_000

/**
 * The HTTP server with its limits. What it refuses by itself has the shape of the application's
 * errors.
 */
export function createHttpServer(listener: RequestListener, timeouts = TIMEOUTS_MS): Server {
  const server = createServer(
    {
      maxHeaderSize: LARGEST_HEAD,
      headersTimeout: timeouts.headers,
      requestTimeout: timeouts.request,
      connectionsCheckingInterval: timeouts.lookEvery,
      keepAliveTimeout: IDLE_FOR,
      requireHostHeader: false,
    },
    (request, response) => {
      if (!bounds.admit(request, response)) return
      const { rawHeaders, headers, httpVersion } = request
      if (rawHeaders.length > 2 * MOST_HEADERS) return refuseRequest(response, 431)
      /** RFC 9112 §3.2; the server's own answer to it has no body. */
      if (headers.host === undefined && httpVersion === '1.1') return refuseRequest(response, 400)
      return listener(request, response)
    }
  )
  const bounds = new SocketBounds(server, timeouts)
  server.on('clientError', refuseConnection)
  server.on('checkExpectation', (request, response) => {
    if (bounds.admit(request, response)) refuseRequest(response, 417)
  })
  finishAndClose(server)
  return server
}

/**
 * What an operator is told when the server can't listen; undefined when something else is wrong.
 */
export function explainListening(error: NodeJS.ErrnoException): string | undefined {
  if (error.syscall !== 'listen' && error.syscall !== 'getaddrinfo') return undefined
  const { HOST = '', PORT = '' } = process.env
  const wrong: Record<string, string> = {
    EADDRINUSE: `PORT=${PORT} is in use at HOST=${HOST}. Stop what listens there, or choose another PORT.`,
    EACCES: `PORT=${PORT} is not allowed to this user. Choose one above 1023.`,
    EADDRNOTAVAIL: `HOST=${HOST} is no address of this machine. Use one that is, or 0.0.0.0 for all.`,
  }
  return (
    wrong[error.code ?? ''] ?? `HOST=${HOST} is not allowed. Allowed: an address of this machine.`
  )
}
