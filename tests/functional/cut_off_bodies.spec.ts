import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from '@japa/runner'
import { emptyDatabase } from '#tests/harness/database'
import { startServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'

/**
 * Every kind of body that a route reads, by the start of a request whose rest never comes.
 */
const halves: [title: string, start: string][] = [
  ['JSON', 'POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n'],
  [
    'a form',
    'POST /oauth/introspect HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n',
  ],
]

test.group('Bodies that the client cuts off', (group) => {
  group.each.setup(() => emptyDatabase())

  test('are malformed requests, no outage', async ({ assert, cleanup }) => {
    const server = await startServer({ env: { LOG_LEVEL: 'debug' } })
    cleanup(() => server.stop())
    const port = Number(new URL(server.url).port)
    let answered = 0
    for (const [title, start] of halves) {
      for (const length of [
        'Content-Length: 100\r\n\r\n{"a',
        'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a',
      ]) {
        for (const leave of ['end', 'resetAndDestroy'] as const) {
          const socket = connect(port, '127.0.0.1')
          socket.on('error', () => {})
          await once(socket, 'connect')
          await new Promise((sent) => socket.write(`${start}Host: a\r\n${length}`, sent))
          await new Promise((arrived) => setImmediate(arrived))
          socket[leave]()
          socket.resume()
          await once(socket, 'close')
          answered++
          const told = () => server.output().match(/cut its request off/g)?.length ?? 0
          await until(
            () => told() >= answered,
            () => `${title}, ${length}, ${leave}: ${server.output()}`
          )
        }
      }
    }
    assert.notInclude(server.output(), '"status":503')
    assert.notInclude(server.output(), '"stack"')
    assert.notMatch(server.output(), /"level":(40|50)/)
  })
})
