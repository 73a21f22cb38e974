import type { Server, ServerResponse } from 'node:http'
import logger from '@adonisjs/core/services/logger'
import env from '#start/env'
import { SHARE_OF_REQUESTS } from '#app/http/shut_down'

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
    const cut = setTimeout(
      () => {
        const text = 'Requests were cut off, for the server stops: see SHUTDOWN_TIMEOUT.'
        if (answering > 0) logger.warn({ requests: answering }, text)
        server.closeAllConnections()
      },
      env.get('SHUTDOWN_TIMEOUT') * SHARE_OF_REQUESTS
    )
    server.once('close', () => {
      clearInterval(look)
      clearTimeout(cut)
    })
    return close(done)
  }
}
