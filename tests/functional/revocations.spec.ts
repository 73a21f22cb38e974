import { test } from '@japa/runner'
import { formatCursor } from '#app/event_log/revocations/read_revocations'
import { makeUser, signIn } from '#tests/harness/accounts'
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
    assert.containsSubset(told[0], { userId: user.id, reason: 'superseded' })
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
    const padded = `${formatCursor({ xid: 1, id: 1 })}=`
    for (const query of [
      ...['?after=', `?after=${foreign}`, `?after=${padded}`, '?after=..%2f', '?after=a&after=b'],
      ...['?limit=0', '?limit=1001', '?limit=x', '?wait=31', '?wait=-1'],
    ]) {
      const answer = await feed(query)
      assert.equal(answer.status, 422, query)
    }
  })
})
