import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Clock } from '../../clients/node/src/clock.js'
import { Guard } from '../../clients/node/src/guard.js'
import type { GuardOptions } from '../../clients/node/src/options.js'
import { FakeLatchkey } from '#tests/harness/fake_latchkey'

class TestClock extends Clock {
  ahead = 0
  override now() {
    return super.now() + this.ahead
  }
}

test.group('The guard', (group) => {
  let latchkey: FakeLatchkey
  let guard: Guard
  let clock: TestClock
  let problems: string[]

  const make = (options: Partial<GuardOptions> = {}) => {
    guard = new Guard(
      { url: latchkey.url, onProblem: (problem) => problems.push(problem), ...options },
      clock
    )
  }
  const follow = async (options: Partial<GuardOptions> = {}) => {
    make({ mode: 'follow', clientId: 'id', clientSecret: 'secret', ...options })
    await until(() => latchkey.count('/api/v1/revocations') > 1)
  }
  const present = (token: string, userAgent = 'tests') => ({
    authorization: token ? [`Bearer ${token}`] : [],
    dpop: [],
    userAgent,
    method: 'GET',
    path: '/orders',
  })
  /** The status that a request gets; 200 when it passes. */
  const check = async (token: string, wants: { fresh?: '10m' } = {}, userAgent?: string) => {
    const outcome = await guard.check(present(token, userAgent), guard.wanted(wants))
    return 'identity' in outcome ? 200 : outcome.refusal.status
  }
  const seconds = () => Math.floor(Date.now() / 1000)
  const open = (
    token: string,
    traits: { userId?: number; sessionId?: string; exp?: number } = {}
  ) =>
    latchkey.live.set(token, {
      userId: 7,
      sessionId: `s-${token}`,
      authenticatedAt: seconds(),
      exp: seconds() + 3600,
      ...traits,
    })
  /** Asks until the answer is remembered. */
  const learn = async (token: string) => {
    const introspected = latchkey.count('/oauth/introspect')
    await check(token)
    await until(() => latchkey.count('/oauth/introspect') > introspected)
    await sleep(20)
  }
  const questions = () => latchkey.count('/forward-auth')

  group.each.setup(async () => {
    latchkey = await new FakeLatchkey().start()
    clock = new TestClock()
    problems = []
    return () => {
      guard?.close()
      latchkey.release()
      latchkey.close()
    }
  })

  test('asks about every request, over connections that it keeps and shares', async ({
    assert,
  }) => {
    make()
    open('a')
    for (let round = 0; round < 5; round++) {
      const statuses = await Promise.all(Array.from({ length: 100 }, () => check('a')))
      assert.deepEqual([...new Set(statuses)], [200])
    }
    assert.equal(questions(), 500)
    assert.isAtMost(latchkey.sockets.size, 32)
    latchkey.live.delete('a')
    assert.equal(await check('a'), 401)
  })

  test('a kept connection that was closed is no outage', async ({ assert }) => {
    make()
    open('a')
    for (let round = 0; round < 20; round++) {
      latchkey.closeIdle()
      assert.equal(await check('a'), 200)
    }
    assert.isEmpty(problems)
  })

  test('what is not Latchkey lets nobody pass, and the operator is told once', async ({
    assert,
  }) => {
    make({ url: `${latchkey.url}/elsewhere` })
    assert.equal(await check('a'), 503)
    assert.equal(await check('a'), 503)
    assert.lengthOf(problems, 1)
    assert.match(problems[0], /check url/)
  })

  test('an answer that takes too long is 503', async ({ assert }) => {
    make({ timeout: 0.2 })
    open('a')
    latchkey.hold('/forward-auth')
    assert.equal(await check('a'), 503)
  })

  test('remembers an answer, and forgets what the feed tells it to', async ({ assert }) => {
    await follow()
    for (const [change, forgets] of [
      [{ type: 'session.ended', sessionId: 's-a', userId: 7 }, true],
      [{ type: 'tokens.replaced', sessionId: 's-a', userId: 7 }, true],
      [{ type: 'session.changed', sessionId: 's-a', userId: 7, what: 'freshness' }, true],
      [{ type: 'watermark', userId: 7, apiKeys: false }, true],
      [{ type: 'watermark', userId: null, apiKeys: true }, true],
      [{ type: 'api_key.ended', apiKeyId: 1, userId: 7 }, true],
      [{ type: 'account.changed', userId: 7, what: 'role' }, true],
      [{ type: 'session.ended', sessionId: 's-b', userId: 7 }, false],
      [{ type: 'watermark', userId: 8, apiKeys: true }, false],
    ] as const) {
      open('a')
      await learn('a')
      const before = questions()
      for (let round = 0; round < 10; round++) assert.equal(await check('a'), 200)
      assert.equal(questions(), before, 'remembered')
      const read = latchkey.count('/api/v1/revocations')
      latchkey.tell({ id: 1, ...change })
      await until(() => latchkey.count('/api/v1/revocations') > read)
      latchkey.live.delete('a')
      assert.equal(await check('a'), forgets ? 401 : 200, JSON.stringify(change))
      latchkey.tell({ type: 'watermark', userId: null })
      await sleep(100)
    }
  })

  test('keeps no answer that was under way when an entry about it arrived', async ({ assert }) => {
    await follow()
    for (const [change, kept] of [
      [{ type: 'session.ended', sessionId: 's-a', userId: 7 }, false],
      [{ type: 'watermark', userId: null }, false],
      [{ type: 'account.changed', userId: 7, what: 'role' }, false],
      [{ type: 'session.ended', sessionId: 's-b', userId: 7 }, true],
    ] as const) {
      open('a')
      latchkey.hold('/oauth/introspect')
      assert.equal(await check('a'), 200)
      await sleep(50)
      const read = latchkey.count('/api/v1/revocations')
      latchkey.tell(change)
      await until(() => latchkey.count('/api/v1/revocations') > read)
      latchkey.release()
      await sleep(50)
      const before = questions()
      assert.equal(await check('a'), 200)
      assert.equal(questions(), before + (kept ? 0 : 1), JSON.stringify(change))
      latchkey.tell({ type: 'watermark', userId: null })
      await sleep(150)
    }
  })

  test('asks again when the feed stands still, and believes it again when it goes on', async ({
    assert,
  }) => {
    await follow({ maxStaleness: '1s' })
    open('a')
    await learn('a')
    latchkey.hold('/api/v1/revocations')
    clock.ahead += 1_000
    const before = questions()
    latchkey.live.delete('a')
    assert.equal(await check('a'), 401)
    assert.equal(questions(), before + 1)

    open('b')
    const read = latchkey.count('/api/v1/revocations')
    latchkey.release()
    await until(() => latchkey.count('/api/v1/revocations') > read + 2)
    await sleep(50)
    await learn('b')
    const learnt = questions()
    assert.equal(await check('b'), 200)
    assert.equal(questions(), learnt)
  })

  test('when its place in the feed is gone, everything is', async ({ assert }) => {
    await follow()
    open('a')
    open('b')
    await learn('a')
    latchkey.hold('/oauth/introspect')
    assert.equal(await check('b'), 200)
    await sleep(50)
    const read = latchkey.count('/api/v1/revocations?after=now')
    latchkey.lose()
    await until(() => latchkey.count('/api/v1/revocations?after=now') > read)
    await sleep(50)
    latchkey.release()
    await sleep(50)
    latchkey.live.clear()
    assert.equal(await check('a'), 401)
    assert.equal(await check('b'), 401)
  })

  test('late in the time of an answer it reports the use, and refuses nobody for age', async ({
    assert,
  }) => {
    await follow({ maxAge: '100s', maxStaleness: '1h' })
    open('a', { exp: seconds() + 62 })
    await learn('a')
    clock.ahead += 25_000
    assert.equal(await check('a'), 200)
    assert.equal(latchkey.count('/oauth/introspect?used=true'), 0)
    clock.ahead += 10_000
    const before = questions()
    open('a', { exp: seconds() + 3600 })
    assert.equal(await check('a'), 200)
    await until(() => latchkey.count('/oauth/introspect?used=true') === 1)
    assert.equal(questions(), before)
    await sleep(20)
    clock.ahead += 40_000
    assert.equal(await check('a'), 200)
    assert.equal(questions(), before, 'the use moved it')
    clock.ahead += 70_000
    assert.equal(await check('a'), 200)
    assert.equal(questions(), before + 1, 'asked again for its age')
  })

  test('a use that is reported late finds out that the session is gone', async ({ assert }) => {
    await follow({ maxStaleness: '1h' })
    open('a')
    await learn('a')
    clock.ahead += 61_000
    latchkey.live.delete('a')
    assert.equal(await check('a'), 200)
    await until(() => latchkey.count('/oauth/introspect?used=true') === 1)
    await sleep(20)
    assert.equal(await check('a'), 401)
  })

  test('a use that is reported late finds out that the user is told of otherwise', async ({
    assert,
  }) => {
    await follow({ maxStaleness: '1h' })
    for (const [token, change] of [
      ['a', { emailVerified: false }],
      ['b', { externalId: 'new' }],
    ] as const) {
      open(token)
      Object.assign(latchkey.live.get(token)!, { emailVerified: true, externalId: 'old' })
      await learn(token)
      clock.ahead += 61_000
      Object.assign(latchkey.live.get(token)!, change)
      const used = latchkey.count('/oauth/introspect?used=true')
      assert.equal(await check(token), 200)
      await until(() => latchkey.count('/oauth/introspect?used=true') > used)
      await sleep(20)
      const before = questions()
      const outcome = await guard.check(present(token), guard.wanted({}))
      assert.equal(questions(), before + 1)
      assert.containsSubset(outcome, { identity: change })
    }
  })

  test('a sign-in that is not fresh is asked about before it is refused', async ({ assert }) => {
    await follow({ maxStaleness: '1h', maxAge: '1h' })
    open('a')
    await learn('a')
    const before = questions()
    assert.equal(await check('a', { fresh: '10m' }), 200)
    assert.equal(questions(), before)
    clock.ahead += 601_000
    assert.equal(await check('a', { fresh: '10m' }), 200, 'Latchkey says that it is')
    assert.equal(questions(), before + 1)
    latchkey.live.get('a')!.authenticatedAt -= 601
    assert.equal(await check('a', { fresh: '10m' }), 401)
    assert.equal(await check('a'), 200)
  })

  test('another user agent is asked about', async ({ assert }) => {
    await follow()
    open('a')
    await learn('a')
    const before = questions()
    assert.equal(await check('a', {}, 'another'), 200)
    assert.equal(questions(), before + 1)
  })

  test('remembers no more than it may, and none that is dead', async ({ assert }) => {
    await follow({ maxAnswers: 3 })
    for (const token of ['a', 'b', 'c', 'd']) {
      open(token)
      await learn(token)
    }
    for (let count = 0; count < 50; count++) assert.equal(await check(`dead${count}`), 401)
    const before = questions()
    for (const token of ['b', 'c', 'd']) await check(token)
    assert.equal(questions(), before)
    await check('a')
    assert.equal(questions(), before + 1)
  })

  test('without Latchkey what is remembered passes for the staleness, and then nothing', async ({
    assert,
  }) => {
    await follow()
    open('a')
    await learn('a')
    latchkey.isAway = true
    assert.equal(await check('a'), 200)
    assert.equal(await check('b'), 503)
    clock.ahead += 5_000
    assert.equal(await check('a'), 503)
  })

  test('says what is wrong with its options', ({ assert }) => {
    const problem = (options: object) => {
      try {
        make(options)
        return guard.wanted(options) && ''
      } catch (error) {
        return (error as Error).message
      }
    }
    assert.match(problem({ mode: 'follow' }), /client:create/)
    assert.match(problem({ mode: 'blind' }), /write 'ask' or 'follow'/)
    assert.match(problem({ timeout: '5 minutes' }), /timeout is 5 minutes/)
    assert.match(problem({ fresh: 0 }), /fresh is 0/)
  })
})

async function until(holds: () => boolean) {
  for (let round = 0; round < 500; round++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('It did not happen within some seconds')
}
