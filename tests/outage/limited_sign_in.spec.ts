import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { ownPostgres } from '#tests/harness/environment'
import { logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'

test.group('A rate limit that can not be asked', (group) => {
  group.tap((one) => {
    one.skip(process.env.DB_CONNECTION !== 'postgres', 'is about PostgreSQL')
    one.skip(!ownPostgres(), 'needs a PostgreSQL of its own')
  })
  group.each.setup(() => emptyDatabase())

  test('lets nobody in and counts nobody out: 503, and 200 when the database is back', async ({
    assert,
    cleanup,
  }) => {
    const server = await startServer({ env: { RATE_LIMIT_SIGN_IN: '2/10m' } })
    cleanup(() => server.stop())
    const { email } = await makeUser()
    const before = await logIn(server.url, email)
    assert.equal(before.status, 200)

    let down = true
    const outage = ownPostgres()!
      .restart(1_500, { crash: false })
      .then(() => (down = false))
    const refused = []
    while (down) {
      const answer = await logIn(server.url, email)
      if (answer.status !== 200) refused.push(answer)
    }
    await outage
    assert.isAbove(refused.length, 2)
    for (const { status, headers } of refused) {
      assert.equal(status, 503)
      assert.match(headers.get('retry-after')!, /^\d+$/)
    }

    const deadline = Date.now() + 5_000
    let after = await logIn(server.url, email)
    while (after.status === 503 && Date.now() < deadline) after = await logIn(server.url, email)
    assert.equal(after.status, 200)
  }).timeout(60_000)
})
