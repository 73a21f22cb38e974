import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { THOROUGH } from '#tests/harness/pace'
import { sharedServers, type TestServer } from '#tests/harness/server'
import { makeClient } from '#tests/harness/service_clients'
import { watchSessions } from '#tests/harness/watch_sessions'

const SIGN_INS = THOROUGH ? 100 : 30

test.group('Racing sign-ins by trusted backends', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await sharedServers({}, {})
  })
  group.each.setup(() => emptyDatabase())

  for (const limit of [1, 3]) {
    test(`of one new user through two servers make one account, and never more than ${limit}`, async ({
      assert,
    }) => {
      const { basic } = await makeClient(['sign_in'])
      const stop = watchSessions()
      const answers = await Promise.all(
        Array.from({ length: SIGN_INS }, (_, index) =>
          call(servers[index % 2].url, 'POST', '/api/v1/sessions', {
            headers: { authorization: basic },
            body: {
              user: { externalId: 'new', email: 'new@example.com' },
              create: true,
              limit,
            },
          })
        )
      )
      const seen = await stop()
      assert.deepEqual(
        answers.flatMap(({ body }) => body.errors ?? []),
        []
      )
      assert.equal(await countRows('users'), 1)
      assert.equal(await countRows('session_events', { type: 'user.created' }), 1)
      assert.equal(seen.most, limit)
      assert.isAbove(seen.looks, 5)

      const checks = await Promise.all(
        answers.map(({ body }, index) =>
          call(servers[(index + 1) % 2].url, 'GET', '/api/v1/account', { token: body.data.token })
        )
      )
      assert.lengthOf(
        checks.filter(({ status }) => status === 200),
        limit
      )
      for (const { status, body } of checks.filter((check) => check.status !== 200)) {
        assert.equal(status, 401)
        assert.equal(body.errors[0].reason, 'superseded')
      }
      const live = await db.from('sessions').whereNull('ended_at').select('seq')
      const newest = await db.from('sessions').max('seq as seq').first()
      assert.include(
        live.map((row) => Number(row.seq)),
        Number(newest.seq)
      )
      for (const server of servers) assert.notMatch(server.output(), /locked|SQLITE_BUSY/)
    }).timeout(120_000)
  }
})
