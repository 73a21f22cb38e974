import type { ServerResponse } from 'node:http'
import { test } from '@japa/runner'
import clock from '#app/clock'
import { SessionStream } from '#app/streams/session_stream'
import type { StreamOpener } from '#app/streams/session_stream'

const MINUTE = 60_000

/**
 * A response whose reader has left so many bytes unread.
 */
function makeResponse(writableLength = 0) {
  const said: string[] = []
  const response = {
    writableLength,
    destroyed: false,
    writeHead() {},
    write: (text: string) => said.push(text),
    destroy: () => (response.destroyed = true),
  }
  return { said, response: response as typeof response & ServerResponse }
}

function makeOpener(): StreamOpener {
  const now = clock.now()
  const session = {
    id: '00000000-0000-4000-8000-000000000000',
    userId: 1,
    kind: 'user' as const,
    actor: null,
    device: { id: null, name: null, platform: null },
    ip: null,
    userAgent: null,
    createdAt: now,
    lastSeenAt: now,
    keyThumbprint: null,
    authenticatedAt: clock.now(),
    expiresAt: new Date(now.getTime() + 60 * MINUTE),
  }
  return { session, hash: 'unused', expiresAt: null }
}

test.group('Session stream', (group) => {
  group.each.setup(() => {
    clock.freeze()
    return () => clock.restore()
  })

  test('comments every 15 seconds, and not more often', ({ assert }) => {
    const { said, response } = makeResponse()
    const stream = new SessionStream(makeOpener(), response)
    stream.begin({})
    for (let second = 0; second < 30; second++) {
      clock.advance(1_000)
      stream.pulse()
    }
    assert.deepEqual(said, ['retry: 2000\n\n', ': here\n\n', ': here\n\n', ': here\n\n'])
  })

  test('leaves the answer to who opens it when the server stops before it has begun', ({
    assert,
  }) => {
    const { said, response } = makeResponse()
    const ended: unknown[] = []
    Object.assign(response, { end: () => ended.push('end') })
    const stream = new SessionStream(makeOpener(), response)
    stream.close()
    assert.deepEqual([said, ended], [[], []])
  })

  test('drops a reader that does not keep up', ({ assert }) => {
    const { said, response } = makeResponse()
    const stream = new SessionStream(makeOpener(), response)
    stream.begin({})
    assert.isFalse(response.destroyed)
    Object.assign(response, { writableLength: 64 * 1024 + 1 })
    clock.advance(15_000)
    stream.pulse()
    assert.isTrue(response.destroyed)

    const before = said.length
    clock.advance(15_000)
    stream.pulse()
    assert.lengthOf(said, before, 'and says no more to it')
  })
})
