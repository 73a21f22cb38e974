import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { test } from '@japa/runner'
import { createHttpServer } from '#app/http/create_server'
import { exchange } from '#tests/hostile/raw_client'
import { until } from '#tests/harness/until'

const ONE = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const TIMEOUTS_MS = { headers: 5_000, request: 5_000, unread: 200, lookEvery: 20 }

/**
 * A server with the limits of the real one that reads answers for 200 ms. Gives its port.
 */
async function serve(
  cleanup: (stop: () => void) => void,
  listener: RequestListener,
  unread = TIMEOUTS_MS.unread
) {
  const server = createHttpServer(listener, { ...TIMEOUTS_MS, unread })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/**
 * A client that sends and reads nothing.
 */
async function deafClient(port: number, text: string, cleanup: (stop: () => void) => void) {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  cleanup(() => void socket.destroy())
  await once(socket, 'connect')
  socket.pause()
  socket.write(text)
  return socket
}

test.group('Bounds of a connection', () => {
  test('of many requests sent at once, 32 are worked on, and the next is refused', async ({
    assert,
    cleanup,
  }) => {
    let begun = 0
    const port = await serve(cleanup, (_, response) => {
      begun++
      setImmediate(() => response.end('{}'))
    })
    const { answers, timedOut } = await exchange(port, Buffer.from(ONE.repeat(40)))
    assert.isFalse(timedOut)
    assert.equal(begun, 32)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array<number>(32).fill(200), 429]
    )
    assert.equal(JSON.parse(answers[32].body).errors[0].code, 'E_TOO_MANY_REQUESTS')
    assert.isString(answers[32].headers.get('retry-after'))
  })

  test('a client that sends on regardless is cut', async ({ assert, cleanup }) => {
    let begun = 0
    const port = await serve(cleanup, () => void begun++)
    const { timedOut } = await exchange(port, Buffer.from(ONE.repeat(1_200)))
    assert.isFalse(timedOut)
    assert.equal(begun, 32)
  })

  test('expectations that no server meets count too', async ({ assert, cleanup }) => {
    const port = await serve(cleanup, () => {})
    const odd = 'GET / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n'
    const { timedOut } = await exchange(port, Buffer.from(ONE + odd.repeat(200)))
    assert.isFalse(timedOut)
  })

  test('a client that reads in turn may send as many as it likes', async ({ assert, cleanup }) => {
    const port = await serve(cleanup, (_, response) => response.end('{}'))
    const socket = connect(port, '127.0.0.1')
    cleanup(() => void socket.destroy())
    for (let count = 0; count < 100; count++) {
      socket.write(ONE)
      const [answer] = await once(socket, 'data')
      assert.match(String(answer), /^HTTP\/1\.1 200 /)
    }
  })

  test('an answer that nobody reads is given up, and so are those behind it', async ({
    assert,
    cleanup,
  }) => {
    let closed = 0
    let asked = 0
    const port = await serve(cleanup, (_, response) => {
      response.once('close', () => closed++)
      if (asked++ === 0) response.end(Buffer.alloc(32 * 1024 * 1024))
    })
    await deafClient(port, ONE.repeat(5), cleanup)
    await until(() => closed === 5, 'Every answer should be closed')
    assert.equal(asked, 5)
  })

  test('a client that goes on sending does not keep its unread answers', async ({
    assert,
    cleanup,
  }) => {
    let closed = false
    const port = await serve(cleanup, (_, response) => {
      response.once('close', () => (closed = true))
      response.write(Buffer.alloc(32 * 1024 * 1024))
      const comments = setInterval(() => response.write(': here\n\n'), 20)
      response.once('close', () => clearInterval(comments))
    })
    const socket = await deafClient(port, ONE, cleanup)
    const drops = setInterval(() => socket.write('\r\n'), 20)
    cleanup(() => clearInterval(drops))
    await until(() => closed, 'The answer should be given up')
    assert.isTrue(closed)
  })

  test('a large answer that is read slowly is read to its end', async ({ assert, cleanup }) => {
    const size = 48 * 1024 * 1024
    const unread = 1_000
    const answer: RequestListener = (_, response) => {
      response.setHeader('Connection', 'close')
      response.end(Buffer.alloc(size))
    }
    const port = await serve(cleanup, answer, unread)
    const socket = connect(port, '127.0.0.1')
    cleanup(() => void socket.destroy())
    socket.write(ONE)
    let read = 0
    socket.on('data', (chunk) => {
      read += chunk.length
      socket.pause()
      setTimeout(() => socket.resume(), 2)
    })
    const began = performance.now()
    await once(socket, 'close')
    assert.isAbove(read, size)
    assert.isAbove(performance.now() - began, unread)
  })

  test('an answer that is not there yet is waited for', async ({ assert, cleanup }) => {
    const port = await serve(cleanup, (_, response) => {
      response.setHeader('Connection', 'close')
      setTimeout(() => response.end('{}'), 2 * TIMEOUTS_MS.unread)
    })
    const { answers } = await exchange(port, Buffer.from(ONE))
    assert.equal(answers[0].status, 200)
  })
})
