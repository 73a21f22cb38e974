import { randomUUID } from 'node:crypto'
import { IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SECURITY_HEADERS } from '#app/http/security_headers'

/**
 * What the HTTP parser found wrong, as a status; anything else is a 400.
 */
const STATUSES: Record<string, number> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
}

const CODES: Record<number, string> = {
  413: 'E_REQUEST_ENTITY_TOO_LARGE',
  429: 'E_TOO_MANY_REQUESTS',
}

const MESSAGES: Record<number, string> = {
  400: 'The request is malformed.',
  408: 'The request took too long to arrive.',
  413: 'The request body is too large.',
  417: 'The expectation of the request can not be met.',
  429: 'Too many requests of this connection are unanswered.',
  431: 'The request has too many headers, or too large ones.',
}

/**
 * Refuses a request that the application never gets to see, in the same shape as its own errors,
 * and closes the connection: nobody knows what follows on it.
 */
export function refuseRequest(response: ServerResponse, status: number): void {
  const { headers, body } = answerOf(status)
  response.writeHead(status, headers)
  response.end(body)
}

/**
 * Answers on a connection on which the parser found no request it understands, or one that is too
 * slow, and closes it. Within the answer to an earlier request another one would be taken for a
 * part of it.
 *
 * Internal of Node.js: `_httpMessage` of a socket is the response that it is writing, by which
 * Node.js itself decides the same. `socketsNameTheirResponse` checks that (#app/internals).
 */
export function refuseConnection(error: Error & { code?: string }, socket: Duplex): void {
  const { _httpMessage: answering } = socket as { _httpMessage?: { headersSent: boolean } }
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent) {
    socket.destroy()
    return
  }
  const status = STATUSES[error.code ?? ''] ?? 400
  const { headers, body } = answerOf(status)
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head, '', body].join('\r\n'), () =>
    socket.destroy()
  )
}

export function socketsNameTheirResponse(): boolean {
  const socket = new Socket()
  const response = new ServerResponse(new IncomingMessage(socket))
  response.assignSocket(socket)
  return (socket as { _httpMessage?: unknown })._httpMessage === response && !response.headersSent
}

function answerOf(status: number) {
  const code = CODES[status] ?? 'E_INVALID_REQUEST'
  const body = JSON.stringify({ errors: [{ code, message: MESSAGES[status] }] })
  const headers: Record<string, string> = {
    ...SECURITY_HEADERS,
    'x-request-id': randomUUID(),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'connection': 'close',
    ...(status === 429 && { 'retry-after': '1' }),
  }
  return { headers, body }
}
