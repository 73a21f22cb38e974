import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { changeRole, setSessionLimit } from '#app/accounts/roles_and_limits'
import { disableUser, enableUser } from '#app/accounts/disabled_users'
import { changeEmail } from '#app/accounts/email_verification'
import { formatPlace } from '#app/event_log/place'
import { endOfLog } from '#app/event_log/read'
import { forceLogout } from '#app/force_logout/force_logout'
import { withUserLock } from '#app/sessions/user_lock'
import { setWatermarkForUser } from '#app/watermarks/set_watermark'
import { makeApiKey, makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { basicHeader, makeClient } from '#tests/harness/service_clients'

const server = `http://${process.env.HOST}:${process.env.PORT}`

test.group('Feed of revocations', (group) => {
  let authorization: string

  const feed = (query = '', header = authorization) =>
    call(server, 'GET', `/api/v1/revocations${query}`, { headers: { authorization: header } })

  group.each.setup(async () => {
    await emptyDatabase()
    const client = await makeClient(['feed'])
    authorization = client.basic
  })

  test('tells every end once, in pages that follow each other', async ({ assert }) => {
    const user = await makeUser()
    const sessions = []
    for (let count = 0; count < 5; count++) sessions.push(await signIn(user))

    const told: any[] = []
    let cursor = ''
    for (;;) {
      const answer = await feed(`?limit=3${cursor && `&after=${cursor}`}`)
      assert.equal(answer.status, 200)
      told.push(...answer.body.data.revocations)
      cursor = answer.body.data.cursor
      if (answer.body.data.revocations.length === 0) break
    }
    assert.deepEqual(
      told.map((one) => one.sessionId),
      sessions.slice(0, 4).map((one) => one.session.id)
    )
    assert.containsSubset(told[0], {
      type: 'session.ended',
      userId: user.id,
      reason: 'superseded',
    })
    assert.isNumber(told[0].id)
    assert.isFalse(Number.isNaN(Date.parse(told[0].endedAt)))
  })

  test('begins with what comes when asked from now on', async ({ assert }) => {
    const user = await makeUser()
    await signIn(user)
    const second = await signIn(user)
    const now = await feed('?after=now')
    assert.isEmpty(now.body.data.revocations)
    await signIn(user)
    const answer = await feed(`?after=${now.body.data.cursor}`)
    assert.deepEqual(
      answer.body.data.revocations.map((one: any) => one.sessionId),
      [second.session.id]
    )
  })

  test('waits for the first, and answers at once when it comes', async ({ assert }) => {
    const user = await makeUser()
    await signIn(user)
    const { body } = await feed('?after=now')
    const began = performance.now()
    const waiting = feed(`?after=${body.data.cursor}&wait=20`)
    await signIn(user)
    const answer = await waiting
    assert.lengthOf(answer.body.data.revocations, 1)
    assert.isBelow(performance.now() - began, 5_000)
  })

  test('answers with nothing when the wait is over', async ({ assert }) => {
    const answer = await feed('?after=now&wait=0.2')
    assert.equal(answer.status, 200)
    assert.isEmpty(answer.body.data.revocations)
  })

  test('wants a service client with the ability', async ({ assert }) => {
    const nobody = await call(server, 'GET', '/api/v1/revocations')
    assert.equal(nobody.status, 401)
    assert.match(nobody.headers.get('www-authenticate')!, /^Basic /)
    const wrong = await feed('', basicHeader('00000000-0000-0000-0000-000000000000', 'x'))
    assert.equal(wrong.status, 401)
    const { tokens } = await signIn(await makeUser())
    const device = await feed('', `Bearer ${tokens.token}`)
    assert.equal(device.status, 401)
    const other = await makeClient(['introspect', 'revoke'])
    const lacking = await feed('', other.basic)
    assert.equal(lacking.status, 403)
    assert.equal(lacking.body.errors[0].code, 'E_FORBIDDEN')
  })

  test('refuses what is no cursor, limit or wait', async ({ assert }) => {
    const foreign = Buffer.from('1:x:1').toString('base64url')
    const padded = `${formatPlace({ log: '0'.repeat(16), position: 1, mark: '0'.repeat(16) })}=`
    for (const query of [
      ...['?after=', `?after=${foreign}`, `?after=${padded}`, '?after=..%2f', '?after=a&after=b'],
      ...['?limit=0', '?limit=1001', '?limit=x', '?wait=31', '?wait=-1'],
    ]) {
      const answer = await feed(query)
      assert.equal(answer.status, 422, query)
    }
  })

  /**
   * What the feed tells of `work`.
   */
  async function toldOf(work: () => Promise<unknown>) {
    const { body } = await feed('?after=now')
    await work()
    const answer = await feed(`?after=${body.data.cursor}`)
    return answer.body.data.revocations.map(({ id, ...entry }: any) => entry)
  }

  test('tells that a refresh has replaced the tokens, and a retry of it nothing', async ({
    assert,
  }) => {
    const user = await makeUser()
    const { tokens, session } = await signIn(user)
    const refresh = () =>
      call(server, 'POST', '/api/v1/auth/refresh', {
        body: { refreshToken: tokens.refreshToken },
      })
    const replaced = { type: 'tokens.replaced', sessionId: session.id, userId: user.id }
    assert.deepEqual(await toldOf(refresh), [replaced])
    assert.deepEqual(await toldOf(refresh), [])
  })

  test('tells of a password change: the tokens of this session, and the other ones ended', async ({
    assert,
  }) => {
    const user = await makeUser()
    await setSessionLimit(user.id, 2, 'system')
    const other = await signIn(user)
    const { tokens, session } = await signIn(user)
    const told = await toldOf(() =>
      call(server, 'PUT', '/api/v1/account/password', {
        token: tokens.token,
        body: { currentPassword: PASSWORD, password: 'a long enough new passphrase' },
      })
    )
    assert.sameDeepMembers(
      told.map(({ endedAt, ...entry }: any) => entry),
      [
        {
          type: 'session.ended',
          sessionId: other.session.id,
          userId: user.id,
          reason: 'password_changed',
        },
        { type: 'tokens.replaced', sessionId: session.id, userId: user.id },
      ]
    )
  })

  test('tells that a session is fresh again or has another name', async ({ assert }) => {
    const user = await makeUser()
    const { tokens, session } = await signIn(user)
    const changed = { type: 'session.changed', sessionId: session.id, userId: user.id }
    const { token } = tokens
    const confirm = () =>
      call(server, 'POST', '/api/v1/auth/confirm', { token, body: { password: PASSWORD } })
    const rename = () =>
      call(server, 'PATCH', `/api/v1/sessions/${session.id}`, { token, body: { name: 'Desk' } })
    assert.deepEqual(await toldOf(confirm), [{ ...changed, what: 'freshness' }])
    assert.deepEqual(await toldOf(rename), [{ ...changed, what: 'name' }])
  })

  test('tells that everyone is out at once, and then of each session', async ({ assert }) => {
    const user = await makeUser()
    const { session } = await signIn(user)
    const told = await toldOf(() =>
      forceLogout({ who: 'everyone', includeApiKeys: true, actor: 'system', note: 'secret note' })
    )
    const { ended_at: at } = await db.from('sessions').where('id', session.id).firstOrFail()
    const instant = new Date(at).toISOString()
    assert.deepEqual(told, [
      { type: 'watermark', userId: null, reason: 'forced', at: instant, apiKeys: true },
      {
        type: 'session.ended',
        sessionId: session.id,
        userId: user.id,
        reason: 'forced',
        endedAt: instant,
      },
    ])
  })

  test('tells of the watermark of one user in the commit that makes it true', async ({
    assert,
  }) => {
    const user = await makeUser()
    await signIn(user)
    const [told] = await toldOf(() =>
      withUserLock(user.id, (trx, locked) =>
        setWatermarkForUser(trx, locked!, {
          reason: 'account_disabled',
          actor: 'system',
          includeApiKeys: false,
        })
      )
    )
    assert.containsSubset(told, {
      type: 'watermark',
      userId: user.id,
      reason: 'account_disabled',
      apiKeys: false,
    })
  })

  test('tells of API keys and of changes of an account', async ({ assert }) => {
    const user = await makeUser()
    await makeApiKey(user, ['account:read'])
    const apiKey = await db.from('api_tokens').where('type', 'api_key').firstOrFail()
    const by = { actor: 'system' } as const
    await makeUser({ role: 'admin' })
    const account = (what: string) => ({ type: 'account.changed', userId: user.id, what })
    assert.deepEqual(await toldOf(() => changeRole(user.id, 'admin', by)), [account('role')])
    assert.deepEqual(await toldOf(() => changeRole(user.id, 'user', by)), [account('role')])
    assert.deepEqual(await toldOf(() => changeEmail(user.id, 'new@example.com', by)), [
      account('email'),
    ])
    assert.deepEqual(await toldOf(() => disableUser(user.id, by)), [
      { type: 'api_key.ended', apiKeyId: Number(apiKey.id), userId: user.id },
      account('disabled'),
    ])
    assert.deepEqual(await toldOf(() => enableUser(user.id, by)), [account('enabled')])
    const { tokens } = await signIn(user)
    const told = await toldOf(() =>
      call(server, 'DELETE', '/api/v1/account', {
        token: tokens.token,
        body: { currentPassword: PASSWORD },
      })
    )
    assert.deepEqual(told.at(-1), account('deleted'))
  })

  test('a cursor of a log that lost or replaced its entry is gone, and one of version 0.1', async ({
    assert,
  }) => {
    await makeUser()
    const { body } = await feed('?after=now')
    const { cursor } = body.data
    const old = Buffer.from('1:7:9').toString('base64url')
    await makeUser()
    const place = (await endOfLog())!
    const beyond = formatPlace({ ...place, position: place.position + 1 })
    for (const after of [old, beyond]) {
      const answer = await feed(`?after=${after}`)
      assert.equal(answer.status, 410)
      assert.equal(answer.body.errors[0].code, 'E_CURSOR_GONE')
    }
    assert.equal((await feed(`?after=${cursor}`)).status, 200)
    await db.from('session_events').update({ mark: 'another' })
    assert.equal((await feed(`?after=${cursor}`)).status, 410)
  })

  test('a poll that waits is told when its cursor is gone', async ({ assert }) => {
    const { body } = await feed('?after=now')
    const waiting = feed(`?after=${body.data.cursor}&wait=20`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await db.from('session_events').delete()
    const answer = await waiting
    assert.equal(answer.status, 410)
  })

  test('an empty log gives a cursor that is noticed to be gone', async ({ assert }) => {
    await db.from('session_events').delete()
    for (const first of ['', '?after=now']) {
      const { body } = await feed(first)
      assert.isEmpty(body.data.revocations)
      assert.equal((await feed(`?after=${body.data.cursor}`)).status, 200)
      await db.from('session_events').delete()
      assert.equal((await feed(`?after=${body.data.cursor}`)).status, 410)
    }
  })
})
