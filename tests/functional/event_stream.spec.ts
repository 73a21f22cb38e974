import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { SessionStreams, sessionStreams } from '#app/streams/session_streams'
import sessionsConfig from '#config/sessions'
import { disableUser } from '#app/accounts/disabled_users'
import { deleteAccount } from '#app/accounts/delete_account'
import { forceLogout } from '#app/force_logout/force_logout'
import { setWatermarkForEveryone } from '#app/watermarks/set_watermark'
import { appendEvents } from '#app/event_log/append'
import { lastSeen } from '#app/sessions/last_seen'
import type { OpenedSession } from '#app/sessions/open'
import { renewSession } from '#app/sessions/renew'
import { hashToken } from '#app/tokens/token'
import User from '#models/user'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { listen, type Listener } from '#tests/harness/event_stream'
import { call } from '#tests/harness/http'
import { keepPolicy } from '#tests/harness/policy'
import { until } from '#tests/harness/until'

const server = `http://${process.env.HOST}:${process.env.PORT}`

test.group('Event stream', (group) => {
  const open: Listener[] = []
  const listenWith = async (token: string, options?: Parameters<typeof listen>[2]) => {
    const listener = await listen(server, token, options)
    open.push(listener)
    return listener
  }
  /** What a request with the token is told, which the stream must say word for word. */
  const refusal = async (token: string) => {
    const answer = await call(server, 'GET', '/api/v1/account', { token })
    return answer.body.errors[0]
  }

  group.each.setup(async () => {
    await emptyDatabase()
    const restorePolicy = keepPolicy()
    return async () => {
      for (const listener of open.splice(0)) listener.close()
      await until(() => sessionStreams.size === 0, 'every stream is closed')
      restorePolicy()
      clock.restore()
    }
  })

  test('is an event stream that proxies do not hold back', async ({ assert }) => {
    const { tokens } = await signIn(await makeUser())
    const stream = await listenWith(tokens.token)
    assert.equal(stream.status, 200)
    assert.containsSubset(stream.headers, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    assert.exists(stream.headers['x-request-id'])
    await until(() => stream.text() === 'retry: 2000\n\n: here\n\n', 'a hint and a comment')
  })

  test('tells an evicted device what a request would be told, and closes', async ({ assert }) => {
    const user = await makeUser()
    const phone = await signIn(user, { name: 'Phone', platform: 'ios' })
    const stream = await listenWith(phone.tokens.token)
    await signIn(user, { name: 'Tablet', platform: 'android' })

    const told = await stream.next()
    assert.equal(told.event, 'session.ended')
    assert.containsSubset(told.data, {
      code: 'E_SESSION_ENDED',
      reason: 'superseded',
      by: { name: 'Tablet', platform: 'android' },
    })
    await stream.closed()
    assert.lengthOf(stream.events(), 1)
    assert.deepEqual(told.data, await refusal(phone.tokens.token))

    const again = await call(server, 'GET', '/api/v1/session/events', { token: phone.tokens.token })
    assert.equal(again.status, 401)
    assert.deepEqual(again.body.errors, [told.data])
  })

  test('tells a device of a sign-in elsewhere when both live on', async ({ assert }) => {
    sessionsConfig.limit = 2
    const user = await makeUser()
    const stranger = await signIn(await makeUser())
    const phone = await signIn(user, { name: 'Phone' })
    const streams = [await listenWith(phone.tokens.token), await listenWith(stranger.tokens.token)]
    const tablet = await signIn(user, { name: 'Tablet', platform: 'android' })

    const told = await streams[0].next()
    assert.equal(told.event, 'session.opened')
    assert.equal(told.data.session.id, tablet.session.id)
    assert.containsSubset(told.data.session.device, { name: 'Tablet', platform: 'android' })

    await signIn(user, { name: 'Laptop' })
    const ended = await streams[0].next()
    assert.equal(ended.event, 'session.ended')
    await streams[0].closed()
    assert.lengthOf(streams[0].events(), 2)
    assert.isEmpty(streams[1].events(), 'a stranger hears nothing')
  })

  test('every way to end a session is told with its reason', async ({ assert }) => {
    const ends = {
      logged_out: (token: string) => call(server, 'POST', '/api/v1/auth/logout', { token }),
      forced: async (_: string, user: Awaited<ReturnType<typeof makeUser>>) =>
        forceLogout({ who: [user], actor: 'system' }),
      password_changed: (token: string) =>
        call(server, 'PUT', '/api/v1/account/password', {
          token,
          body: { currentPassword: PASSWORD, password: 'another long pass phrase' },
        }),
      account_disabled: async (_: string, user: Awaited<ReturnType<typeof makeUser>>) =>
        disableUser(user.id, { actor: 'system', note: null }),
    }
    for (const [reason, end] of Object.entries(ends)) {
      sessionsConfig.limit = 2
      const user = await makeUser()
      const listening = await signIn(user, { name: 'Listening' })
      const acting = reason === 'logged_out' ? listening : await signIn(user, { name: 'Acting' })
      const stream = await listenWith(listening.tokens.token)
      await end(acting.tokens.token, user)
      const told = await stream.next()
      assert.equal(told.event, 'session.ended', reason)
      assert.equal(told.data.reason, reason)
      assert.deepEqual(told.data, await refusal(listening.tokens.token))
      await stream.closed()
    }
  })

  test('a deleted account is told as deleted', async ({ assert }) => {
    const user = await makeUser()
    const phone = await signIn(user)
    const stream = await listenWith(phone.tokens.token)
    await deleteAccount(phone.session, PASSWORD)
    const told = await stream.next()
    assert.equal(told.data.reason, 'account_deleted')
    assert.deepEqual(told.data, await refusal(phone.tokens.token))
  })

  test('a cut of everyone closes streams before a single end is written', async ({ assert }) => {
    const phone = await signIn(await makeUser())
    const stream = await listenWith(phone.tokens.token)
    const order = { reason: 'forced', actor: 'system', includeApiKeys: false } as const
    await setWatermarkForEveryone(
      order,
      async (trx) =>
        await appendEvents(trx, [{ type: 'force_logout', userId: null, actor: 'system' }])
    )
    const told = await stream.next()
    assert.equal(told.data.reason, 'forced')
    assert.deepEqual(told.data, await refusal(phone.tokens.token))
    const { ended_at: endedAt } = await db.from('sessions').where('id', phone.session.id).first()
    assert.isNull(endedAt)
  })

  test('a session that ends while its stream is opened is refused, not forgotten', async ({
    assert,
  }) => {
    for (let round = 0; round < 10; round++) {
      const user = await makeUser()
      const phone = await signIn(user)
      const [stream] = await Promise.all([listenWith(phone.tokens.token), signIn(user)])
      if (stream.status === 200) {
        const told = await stream.next()
        assert.equal(told.data.reason, 'superseded')
      } else assert.equal(stream.status, 401)
      await stream.closed()
    }
  })

  test('is told though the connection to the log was cut', async ({ assert }) => {
    const user = await makeUser()
    const phone = await signIn(user)
    const stream = await listenWith(phone.tokens.token)
    const { rows: cut } = await db.rawQuery(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'latchkey log' AND datname = current_database()`
    )
    assert.isNotEmpty(cut)
    await signIn(user)
    const told = await stream.next()
    assert.equal(told.data.reason, 'superseded')
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'SQLite has no connection to cut')

  test('a transaction that never ends holds no event up', async ({ assert }) => {
    const user = await makeUser()
    const phone = await signIn(user)
    const stream = await listenWith(phone.tokens.token)
    const endless = await db.transaction()
    try {
      await endless.rawQuery('SELECT pg_current_xact_id()')
      await signIn(user)
      const told = await stream.next()
      assert.equal(told.data.reason, 'superseded')
    } finally {
      await endless.rollback()
    }
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'SQLite has one writer')

  test('closes when the session reaches its longest lifetime', async ({ assert }) => {
    clock.freeze()
    sessionsConfig.refreshTokenTtl = 0
    const phone = await signIn(await makeUser())
    const stream = await listenWith(phone.tokens.token)
    clock.advance(sessionsConfig.maxLifetime - 1_000)
    await db.from('sessions').where('id', phone.session.id).update({ last_seen_at: clock.now() })
    clock.advance(1_000)
    const told = await stream.next()
    assert.equal(told.data.reason, 'expired')
    await stream.closed()
  })

  test('keeps its session in use while it lives', async ({ assert }) => {
    clock.freeze()
    const phone = await signIn(await makeUser())
    const stream = await listenWith(phone.tokens.token)
    for (let minute = 0; minute < 3; minute++) {
      const before = lastSeen.latest(phone.session.id, phone.session.lastSeenAt)
      clock.advance(60_000)
      await until(
        () => lastSeen.latest(phone.session.id, phone.session.lastSeenAt) > before,
        'a use is noted'
      )
    }
    assert.isEmpty(stream.events())
    assert.equal(sessionStreams.size, 1)
  })

  test('{name} of the token that opened it is told, and the stream closes')
    .with([
      {
        name: 'the expiry',
        kill: async () => {
          clock.freeze()
          clock.advance(sessionsConfig.accessTokenTtl)
        },
      },
      {
        name: 'a refresh',
        kill: ({ tokens }: OpenedSession) =>
          call(server, 'POST', '/api/v1/auth/refresh', {
            body: { refreshToken: tokens.refreshToken },
          }),
      },
      {
        name: 'a refresh on another node',
        kill: async ({ tokens }: OpenedSession) => {
          await renewSession(tokens.refreshToken!, { keyThumbprint: null, userAgent: null })
          clock.freeze()
          clock.advance(10_000)
        },
      },
      {
        name: 'a changed password',
        kill: ({ tokens }: OpenedSession) =>
          call(server, 'PUT', '/api/v1/account/password', {
            token: tokens.token,
            body: { currentPassword: PASSWORD, password: 'another long pass phrase' },
          }),
      },
    ])
    .run(async ({ assert }, { kill }) => {
      sessionsConfig.limit = 0
      const user = await makeUser()
      const phone = await signIn(user)
      const streams = [await listenWith(phone.tokens.token), await listenWith(phone.tokens.token)]
      await kill(phone)
      for (const stream of streams) {
        const told = await stream.next()
        assert.equal(told.event, 'token.expired')
        assert.equal(told.data.code, 'E_TOKEN_EXPIRED')
        await stream.closed()
        assert.deepEqual(told.data, await refusal(phone.tokens.token))
      }

      await signIn(await User.findOrFail(user.id), { name: 'Laptop' })
      for (const stream of streams) assert.lengthOf(stream.events(), 1, 'it learns nothing more')
      const { ended_at: endedAt } = await db.from('sessions').where('id', phone.session.id).first()
      assert.isNull(endedAt, 'the session lives on')
    })

  test('goes on with the token that replaced the one that died', async ({ assert }) => {
    const phone = await signIn(await makeUser())
    const refreshed = await call(server, 'POST', '/api/v1/auth/refresh', {
      body: { refreshToken: phone.tokens.refreshToken },
    })
    const late = await listenWith(phone.tokens.token)
    assert.equal(late.status, 401)
    const stream = await listenWith(refreshed.body.data.token)
    clock.freeze()
    clock.advance(30_000)
    await until(() => stream.text().match(/: here/g)?.length === 2, 'another comment')
    assert.isEmpty(stream.events())
  })

  test('a token that dies while its stream is opened is refused, not forgotten', async ({
    assert,
  }) => {
    for (let round = 0; round < 10; round++) {
      const { tokens } = await signIn(await makeUser())
      const [stream] = await Promise.all([
        listenWith(tokens.token),
        call(server, 'POST', '/api/v1/auth/refresh', {
          body: { refreshToken: tokens.refreshToken },
        }),
      ])
      if (stream.status === 200) {
        const told = await stream.next()
        assert.equal(told.event, 'token.expired')
      } else assert.equal(stream.status, 401)
      await stream.closed()
    }
  })

  test('an end of the session is told as such though the token had died before', async ({
    assert,
  }) => {
    clock.freeze()
    const user = await makeUser()
    const phone = await signIn(user)
    const stream = await listenWith(phone.tokens.token)
    await forceLogout({ who: [user], actor: 'system' })
    clock.advance(sessionsConfig.accessTokenTtl)
    const told = await stream.next()
    assert.equal(told.event, 'session.ended')
    assert.equal(told.data.reason, 'forced')
    await stream.closed()
    assert.lengthOf(stream.events(), 1)
  })

  test('a session has ten streams and no more, and frees their places', async ({ assert }) => {
    const { tokens } = await signIn(await makeUser())
    const streams = await Promise.all(Array.from({ length: 10 }, () => listenWith(tokens.token)))
    assert.deepEqual([...new Set(streams.map((stream) => stream.status))], [200])
    const refused = await call(server, 'GET', '/api/v1/session/events', { token: tokens.token })
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '30')

    streams[0].close()
    await until(() => sessionStreams.size === 9, 'a place is free')
    const allowed = await listenWith(tokens.token)
    assert.equal(allowed.status, 200)
  })

  test('a network has so many streams and no more, whoever they are of', async ({
    assert,
    cleanup,
  }) => {
    const streams = new SessionStreams(3)
    const answers: ServerResponse[] = []
    cleanup(() => {
      for (const answer of answers) answer.emit('close')
    })
    const openFrom = async (ip: string) => {
      const { tokens, session } = await signIn(await makeUser())
      const answer = new ServerResponse(new IncomingMessage(new Socket()))
      answers.push(answer)
      const opener = { session, hash: hashToken(tokens.token), expiresAt: tokens.expiresAt }
      await streams.open(opener, answer, {}, ip)
      return answer
    }
    const [first] = [
      await openFrom('2001:db8::1'),
      await openFrom('2001:db8::2'),
      await openFrom('2001:db8::3'),
    ]
    await assert.rejects(() => openFrom('2001:db8::4'), /Too many|too many/)
    await openFrom('192.0.2.1')
    first.emit('close')
    await openFrom('2001:db8::4')
    assert.equal(streams.size, 4)
  })

  test('needs a live session: no token, an API key, HEAD', async ({ client, assert }) => {
    const none = await client.get('/api/v1/session/events')
    none.assertStatus(401)
    const { tokens } = await signIn(await makeUser())
    const head = await fetch(`${server}/api/v1/session/events`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${tokens.token}` },
    })
    assert.equal(head.status, 200)
    assert.equal(sessionStreams.size, 0)
  })
})
