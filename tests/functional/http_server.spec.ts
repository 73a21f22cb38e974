import { once } from 'node:events'
import { request as openRequest } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { createHttpServer } from '#app/http/create_server'
import { exchange } from '#tests/hostile/raw_client'

const send = (head: string[], body = '') =>
  exchange(Number(process.env.PORT), Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'))

const manyHeaders = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: x`)

/**
 * Requests that never reach the application, and what it is told.
 */
const refused: [title: string, head: string[], status: number][] = [
  ['no HTTP', ['NONSENSE'], 400],
  ['a head that is too large', ['GET / HTTP/1.1', 'Host: a', `X: ${'x'.repeat(20_000)}`], 431],
  ['a path that is too long', [`GET /${'x'.repeat(20_000)} HTTP/1.1`, 'Host: a'], 431],
  ['too many headers', ['GET / HTTP/1.1', 'Host: a', ...manyHeaders(120)], 431],
  ['no Host', ['GET / HTTP/1.1'], 400],
  ['an expectation', ['GET / HTTP/1.1', 'Host: a', 'Expect: a miracle'], 417],
  ['two lengths', ['POST / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Length: 2'], 400],
  [
    'a length and chunks',
    ['POST / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked'],
    400,
  ],
  ['a path that is no UTF-8', ['GET /%C0%80 HTTP/1.1', 'Host: a'], 400],
]

test.group('HTTP server', () => {
  test('{0} is refused in the shape of every error')
    .with(refused)
    .run(async ({ assert }, [, head, status]) => {
      const { answers, timedOut } = await send(head)
      assert.isFalse(timedOut)
      assert.lengthOf(answers, 1)
      const [answer] = answers
      assert.equal(answer.status, status)
      assert.match(answer.headers.get('content-type')!, /^application\/json/)
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.isString(answer.headers.get('x-request-id'))
      const { errors } = JSON.parse(answer.body)
      assert.equal(errors[0].code, 'E_INVALID_REQUEST')
      assert.isString(errors[0].message)
    })

  test('requests sent one behind the other are answered in turn', async ({ assert }) => {
    const one = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n'
    const last = 'GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    const { answers } = await exchange(Number(process.env.PORT), Buffer.from(one + one + last))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 404]
    )
  })

  test('headers that come too slowly are cut off', async ({ assert, cleanup }) => {
    const port = await impatientServer(cleanup)
    const { answers, timedOut } = await exchange(port, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n'))
    assert.isFalse(timedOut)
    assert.equal(answers[0].status, 408)
    assert.equal(JSON.parse(answers[0].body).errors[0].code, 'E_INVALID_REQUEST')
  })

  test('a body that comes drop by drop is cut off', async ({ assert, cleanup }) => {
    const port = await impatientServer(cleanup)
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n')
    const drops = setInterval(() => socket.write('x'), 20)
    const [answer] = await once(socket, 'data')
    await once(socket, 'close')
    clearInterval(drops)
    assert.match(String(answer), /^HTTP\/1\.1 408 /)
  })

  test('a client that asks whether to go on is told to', async ({ assert }) => {
    const request = openRequest({
      host: process.env.HOST,
      port: process.env.PORT,
      method: 'POST',
      path: '/api/v1/auth/login',
      headers: {
        'Expect': '100-continue',
        'Content-Type': 'application/json',
        'Content-Length': 2,
      },
    })
    request.flushHeaders()
    await once(request, 'continue')
    request.end('{}')
    const [response] = await once(request, 'response')
    assert.equal(response.statusCode, 422)
    response.resume()
  })
})

/**
 * A server with the limits of the real one, but little patience, that answers once it has read the
 * body. Gives its port.
 */
async function impatientServer(cleanup: (stop: () => void) => void): Promise<number> {
  const server = createHttpServer(
    (request, response) => {
      request.resume().on('end', () => response.end())
    },
    { headers: 200, request: 200, unread: 200, lookEvery: 50 }
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
