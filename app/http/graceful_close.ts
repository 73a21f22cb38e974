import type { Server, ServerResponse } from 'node:http'

/**
 * How long requests that have begun may take once the server closes, in milliseconds.
 */
const FINISH_WITHIN = 10_000

/**
 * How often a closing server looks for connections that nobody waits on, in milliseconds.
 */
const LOOK_EVERY = 50

/**
 * Has `server.close()` wait for the requests that have begun and for nothing else. By itself Node.js
 * would also wait for connections that stay open between two requests, for those that have sent
 * half of one, and for clients that go on asking on a connection they have.
 */
export function finishAndClose(server: Server): void {
  const close = server.close.bind(server)
  let answering = 0

  server.prependListener('request', (_, response: ServerResponse) => {
    answering++
    response.once('close', () => answering--)
    /** `close` only stops new connections: on one that is kept this is the last request. */
    if (!server.listening) response.setHeader('connection', 'close')
  })

  server.close = (done) => {
    const look = setInterval(() => {
      if (answering === 0) server.closeAllConnections()
      else server.closeIdleConnections()
    }, LOOK_EVERY)
    const cut = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN)
    server.once('close', () => {
      clearInterval(look)
      clearTimeout(cut)
    })
    return close(done)
  }
}
